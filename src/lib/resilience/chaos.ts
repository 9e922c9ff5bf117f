import { type Clock, sleep } from '../core/index.ts';

/** What is to go wrong with the tries of one kind of dependency. */
export interface Faults {
  /** Share of tries that fail, from 0 to 1. */
  readonly faultRate: number;
  /** What each try waits for first. */
  readonly latencyMs: number;
}

/** Faults by kind of dependency, for tests and drills. */
export type Chaos = Readonly<Record<string, Faults>>;

/** A fault of our own making; nothing was sent. */
class InjectedFaultError extends Error {
  override readonly name = 'InjectedFaultError' as const;
  readonly code = 'injected_fault' as const;

  constructor() {
    super('This fault was injected: see the setting CHAOS');
  }
}

/**
 * Slows down and spoils a try. It happens inside the try, so that its time limit, the breaker, retries, log lines and
 * metrics see what they would see of a real fault.
 */
export function disturb<T>(
  clock: Clock,
  { faultRate, latencyMs }: Faults,
  fn: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal) => Promise<T> {
  return async (signal) => {
    if (latencyMs > 0) await sleep(clock, latencyMs, signal);
    if (clock.random() < faultRate) throw new InjectedFaultError();
    return fn(signal);
  };
}
