import { LocalError } from '../../local/local-error.ts';
import { type Clock, sleep, startDeadline } from '../../src/lib/core/index.ts';

/** What is still missing, in words that follow "waiting for". */
export interface Waiting {
  readonly waitFor: string;
}

/** What one attempt came to: the end of the waiting, or the reason to go on. */
type Attempt<T> = { readonly done: T } | Waiting;

/** How long to wait for something in the cloud, and who is told meanwhile. */
export interface Patience {
  readonly clock: Clock;
  readonly everyMs: number;
  readonly forMs: number;
  readonly signal: AbortSignal;
  say(line: string): void;
}

/** An attempt that hangs is given up after this time, and made again; the last one may so outlast the patience. */
const attemptMs = 30_000;

/**
 * Makes attempts until one is done. Each reason to wait is said once, as long as it stays the same.
 *
 * @param attempt - gets a signal that aborts when this attempt has taken too long; rejecting ends the waiting
 * @throws LocalError with the last reason when the time is up
 */
export async function poll<T>(
  { clock, everyMs, forMs, signal, say }: Patience,
  attempt: (signal: AbortSignal) => Promise<Attempt<T>>,
): Promise<T> {
  const endsAt = clock.monotonicMs() + forMs;
  let reason = '';
  for (;;) {
    using deadline = startDeadline(clock, attemptMs, signal);
    const result = await attempt(deadline.signal);
    if ('done' in result) return result.done;
    signal.throwIfAborted();
    if (result.waitFor !== reason) say(`waiting for ${result.waitFor}`);
    reason = result.waitFor;
    if (clock.monotonicMs() + everyMs > endsAt)
      throw new LocalError(`Waited ${Math.round(forMs / 1000)} s in vain for ${reason}`);
    await sleep(clock, everyMs, signal);
  }
}
