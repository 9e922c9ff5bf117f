import { performance } from 'node:perf_hooks';

/** The one source of time, timers and randomness; tests pass their own. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump. */
  now(): number;
  /** Milliseconds of a clock that never jumps; only differences mean something. */
  monotonicMs(): number;
  /** A number in [0, 1), for jitter; not for secrets. */
  random(): number;
  /**
   * Calls `callback` once after `delayMs`; the returned function cancels.
   *
   * @param options - `keepsAlive`: the process does not end before; left out, the timer does not hold it
   */
  after(delayMs: number, callback: () => void, options?: { readonly keepsAlive: boolean }): () => void;
}

/** Real time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  after(delayMs, callback, { keepsAlive } = { keepsAlive: false }) {
    // Longer waits would overflow the 32-bit delay of setTimeout and fire at once.
    const timer = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1));
    if (!keepsAlive) timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Starts the life of something that ends at a given time, as a token does. The returned function tells how many
 * milliseconds are left, by whichever clock says less: the wall clock may jump, and the other one may stand still while
 * a machine sleeps.
 *
 * @param endsAt - milliseconds since the epoch
 */
export function startLifetime(clock: Clock, endsAt: number): () => number {
  const lifeMs = endsAt - clock.now();
  const startedMs = clock.monotonicMs();
  return () => Math.min(endsAt - clock.now(), lifeMs - (clock.monotonicMs() - startedMs));
}

/** ISO 8601 in UTC with milliseconds, as every time in the API is written. */
export function toTimestamp(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/**
 * Reads an HTTP date in its one current form (IMF-fixdate, RFC 9110 §5.6.7); `undefined` for anything else.
 * `Date.parse` alone would read a date out of nearly any text.
 */
export function parseHttpDate(text: string): number | undefined {
  const epochMs = Date.parse(text);
  if (Number.isNaN(epochMs)) return undefined;
  return new Date(epochMs).toUTCString() === text ? epochMs : undefined;
}

/**
 * Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts. Leaves no timer or listener
 * behind. Keeps the process alive: a command that waits before a retry has nothing else that would.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const wake = () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    };
    const cancel = clock.after(delayMs, wake, { keepsAlive: true });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
