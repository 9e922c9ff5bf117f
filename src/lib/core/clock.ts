import { performance } from 'node:perf_hooks';

/** The one source of time, timers and randomness; tests pass their own. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump. */
  now(): number;
  /** Milliseconds of a clock that never jumps; only differences mean something. */
  monotonicMs(): number;
  /** A number in [0, 1), for jitter; not for secrets. */
  random(): number;
  /** Calls `callback` once after `delayMs`; the returned function cancels. The timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Real time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  after(delayMs, callback) {
    // Longer waits would overflow the 32-bit delay of setTimeout and fire at once.
    const timer = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

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

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts. Leaves no timer or listener behind. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
