import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';

/** A signal that aborts when time is up or when one of its parents aborts. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Milliseconds left, never negative. */
  remainingMs(): number;
  /** Aborts now, with the given reason. */
  abort(reason: unknown): void;
  /** Starts the time over, for work that is bounded by progress and not by its whole length. */
  extend(timeoutMs: number): void;
}

/**
 * Starts a deadline. Dispose of it (`using`) when the work has ended, or its timer and listeners stay behind.
 *
 * @param timeoutMs - time until `signal` aborts with an {@link AppError} `deadline_exceeded`
 * @param parents - signals whose abort is passed on with their reason
 */
export function startDeadline(clock: Clock, timeoutMs: number, ...parents: AbortSignal[]): Deadline {
  const controller = new AbortController();
  const expire = () =>
    controller.abort(new AppError('deadline_exceeded', 'The time for this request is over'));
  let endsAt = clock.monotonicMs() + timeoutMs;
  let cancelTimer = clock.after(timeoutMs, expire);
  const unlinks = parents.map((parent) => linkAbort(parent, controller));
  return {
    signal: controller.signal,
    remainingMs: () => Math.max(0, endsAt - clock.monotonicMs()),
    abort: (reason) => controller.abort(reason),
    extend(moreMs) {
      cancelTimer();
      endsAt = clock.monotonicMs() + moreMs;
      cancelTimer = clock.after(moreMs, expire);
    },
    [Symbol.dispose]() {
      cancelTimer();
      for (const unlink of unlinks) unlink();
    },
  };
}

/** Passes the abort of `parent` on to `controller`; the returned function undoes the link. */
function linkAbort(parent: AbortSignal, controller: AbortController): () => void {
  const pass = () => controller.abort(parent.reason);
  if (parent.aborted) pass();
  else parent.addEventListener('abort', pass, { once: true });
  return () => parent.removeEventListener('abort', pass);
}
