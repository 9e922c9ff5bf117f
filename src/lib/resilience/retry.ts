import { type Clock, remainingMs, sleep } from '../core/index.ts';
import type { GiveUpReason } from './events.ts';
import { describeFailure } from './failure-description.ts';
import { defaultRetryAfterMs, type Guard, type Surroundings, type Try, unavailable } from './guard.ts';
import { retryAfterMs } from './retry-after.ts';
import { isTemporary, mayRepeat, type Verdict } from './verdict.ts';

/** One call as its caller describes it. */
export interface Call<T> extends Try<T> {
  readonly operation: string;
  readonly repeatable: boolean;
}

/** Tries until it works, until trying again cannot help, or until there is no time, try or budget left. */
export async function runWithRetries<T>(guard: Guard, call: Call<T>, around: Surroundings): Promise<T> {
  const { dependency } = guard;
  const { operation, signal } = call;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const tried = await guard.attempt(call);
    // Not before: a call that was not let through is no load, and must not earn retries for when the service comes back.
    if (attempt === 1) guard.budget.noteCall();
    if (tried.verdict === undefined) return tried.value;
    const { verdict, error } = tried;
    const wished = retryAfterMs(error, around.clock.now());
    const delayMs = wished ?? backoffMs(around.clock, attempt, around.settings.retryCapMs);
    const reason = whyStop(guard, call, attempt, verdict, delayMs, around.settings.retries);
    if (reason) {
      if (verdict !== 'foreign') {
        const told = { dependency, operation, attempts: attempt, reason, error };
        around.onEvent({ type: 'give_up', ...told, ...describeFailure(error) });
      }
      throw isTemporary(verdict) ? unavailable(dependency, wished ?? defaultRetryAfterMs, error) : error;
    }
    around.onEvent({ type: 'retry', dependency, operation, attempt, delayMs, error });
    await sleep(around.clock, delayMs, signal);
  }
}

/** Full jitter: anything between nothing and the doubled wait, so that callers who failed together do not come back together. */
function backoffMs(clock: Clock, attempt: number, capMs: number): number {
  return clock.random() * Math.min(capMs, 1000 * 2 ** (attempt - 1));
}

/** Why there is no other try; `undefined` when there is one, which is then taken out of the budget. */
function whyStop(
  { budget }: Guard,
  { signal, repeatable }: Call<unknown>,
  attempt: number,
  verdict: Verdict,
  delayMs: number,
  retries: number,
): GiveUpReason | undefined {
  if (!mayRepeat(verdict, true)) return 'not_retriable';
  if (!mayRepeat(verdict, repeatable)) return 'not_repeatable';
  if (attempt > retries) return 'attempts';
  if (delayMs >= remainingMs(signal)) return 'deadline';
  return budget.take() ? undefined : 'budget';
}
