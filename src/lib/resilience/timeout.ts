import { type Clock, linkAbort, rejectOnAbort } from '../core/index.ts';

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
 * @throws AttemptTimeoutError when time is up
 */
export async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  fn: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using link = linkAbort(signal);
  const cancel = clock.after(timeoutMs, () => link.abort(new AttemptTimeoutError(timeoutMs)));
  try {
    return await rejectOnAbort(fn(link.signal), link.signal);
  } finally {
    cancel();
  }
}
