import { type Clock, inheritDeadline } from '../core/index.ts';

/** One try took too long; the caller's own deadline is not over yet. */
export class AttemptTimeoutError extends Error {
  override readonly name = 'AttemptTimeoutError' as const;
  readonly code = 'attempt_timeout' as const;

  constructor(timeoutMs: number) {
    super(`No answer within ${timeoutMs} ms`);
  }
}

/**
 * Runs one try under a time limit. When time is up, or the caller aborts, the signal given to `fn` aborts and the
 * returned promise rejects with its reason at once, even when `fn` does not listen.
 *
 * Written with one listener and one promise, because every call to every dependency comes through here: links and races
 * of signals would take longer than all the other policies together.
 *
 * @throws AttemptTimeoutError when time is up
 */
export function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  fn: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const controller = new AbortController();
    inheritDeadline(controller.signal, signal);
    const leave = () => {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
    };
    const cutOff = (reason: unknown) => {
      leave();
      // First: what the cancelled work makes of it comes too late.
      reject(reason);
      controller.abort(reason);
    };
    const onAbort = () => cutOff(signal.reason);
    const cancelTimer = clock.after(timeoutMs, () => cutOff(new AttemptTimeoutError(timeoutMs)));
    signal.addEventListener('abort', onAbort);
    const fail = (error: unknown) => {
      leave();
      reject(error);
    };
    try {
      fn(controller.signal).then((value) => {
        leave();
        resolve(value);
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}
