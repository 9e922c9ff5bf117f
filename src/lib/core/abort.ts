import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';

/** A signal of its own that also aborts, with the same reason, when one of its parents does. */
export interface LinkedAbort extends Disposable {
  readonly signal: AbortSignal;
  /** Aborts now, with the given reason. */
  abort(reason: unknown): void;
}

/** A signal that aborts when time is up or when one of its parents aborts. */
export interface Deadline extends LinkedAbort {
  /** Milliseconds left, never negative. */
  remainingMs(): number;
  /** Starts the time over, for work that is bounded by progress and not by its whole length; nothing after disposal. */
  extend(timeoutMs: number): void;
}

/**
 * How long a signal has to live, for those that stem from a deadline: a signal itself does not tell. It is kept on the
 * signal, because a weak map would cost more than all the rest of a call (0.6 µs, and work for the garbage collector).
 */
const lifetime = Symbol('milliseconds until the deadline');
type Mortal = AbortSignal & { [lifetime]?: () => number };

/**
 * Milliseconds until the deadline behind a signal; Infinity when it stems from none. Lets work that cannot end in
 * time (a long wait before a retry) give up at once.
 */
export function remainingMs(signal: AbortSignal): number {
  return (signal as Mortal)[lifetime]?.() ?? Number.POSITIVE_INFINITY;
}

/**
 * For work in lots that a later run can go on with: ends it in order before its time is over.
 *
 * @throws AppError `unavailable`, which lets a job be tried again
 */
export function requireTime(signal: AbortSignal, leastMs: number): void {
  signal.throwIfAborted();
  if (remainingMs(signal) < leastMs) throw new AppError('unavailable', 'There is more to do than time left');
}

/** Lets a signal tell the deadline of the one it follows. */
export function inheritDeadline(child: AbortSignal, parent: AbortSignal): void {
  const inherited = (parent as Mortal)[lifetime];
  if (inherited) (child as Mortal)[lifetime] = inherited;
}

/** Links a new signal to its parents. Dispose of it (`using`) when the work has ended, or its listeners stay behind. */
export function linkAbort(...parents: AbortSignal[]): LinkedAbort {
  const controller = new AbortController();
  const unlinks = parents.map((parent) => follow(parent, controller));
  (controller.signal as Mortal)[lifetime] = () => Math.min(...parents.map(remainingMs));
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]() {
      for (const unlink of unlinks) unlink();
    },
  };
}

/**
 * Starts a deadline. Dispose of it (`using`) when the work has ended, or its timer and listeners stay behind.
 *
 * @param timeoutMs - time until `signal` aborts with an {@link AppError} `deadline_exceeded`
 * @param parents - signals whose abort is passed on with their reason
 */
export function startDeadline(clock: Clock, timeoutMs: number, ...parents: AbortSignal[]): Deadline {
  const link = linkAbort(...parents);
  const expire = () => link.abort(new AppError('deadline_exceeded', 'The time for this request is over'));
  let endsAt = clock.monotonicMs() + timeoutMs;
  let cancelTimer = clock.after(timeoutMs, expire);
  let ended = false;
  const ownRemainingMs = () => Math.max(0, endsAt - clock.monotonicMs());
  (link.signal as Mortal)[lifetime] = () => Math.min(ownRemainingMs(), ...parents.map(remainingMs));
  return {
    signal: link.signal,
    remainingMs: ownRemainingMs,
    abort: link.abort,
    extend(moreMs) {
      if (ended) return;
      cancelTimer();
      endsAt = clock.monotonicMs() + moreMs;
      cancelTimer = clock.after(moreMs, expire);
    },
    [Symbol.dispose]() {
      ended = true;
      cancelTimer();
      link[Symbol.dispose]();
    },
  };
}

/** Settles as `work` does, or rejects with the signal's reason as soon as it aborts. Leaves no listener behind. */
export function rejectOnAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  return promise;
}

/** Passes the abort of `parent` on to `controller`; the returned function undoes the link. */
function follow(parent: AbortSignal, controller: AbortController): () => void {
  const pass = () => controller.abort(parent.reason);
  if (parent.aborted) pass();
  else parent.addEventListener('abort', pass, { once: true });
  return () => parent.removeEventListener('abort', pass);
}
