import { AppError, type Clock } from '../core/index.ts';
import { type Admission, type Breaker, createBreaker } from './breaker.ts';
import { createRetryBudget, type RetryBudget } from './budget.ts';
import { createBulkhead } from './bulkhead.ts';
import { type Chaos, disturb } from './chaos.ts';
import {
  type Dependency,
  type DependencyKind,
  hasBreaker,
  judgeError,
  kindOf,
  unavailableText,
} from './dependencies.ts';
import type { RejectedBy, ResilienceEvent } from './events.ts';
import type { FindOverride } from './override.ts';
import type { ResilienceSettings } from './settings.ts';
import { withTimeout } from './timeout.ts';
import type { Verdict } from './verdict.ts';

/** What the policies of all dependencies share. */
export interface Surroundings {
  readonly clock: Clock;
  readonly onEvent: (event: ResilienceEvent) => void;
  readonly settings: ResilienceSettings;
  /** Calls that may run at a time, where the setting for all does not fit. */
  readonly bulkheadSizes: Partial<Readonly<Record<DependencyKind, number>>>;
  readonly overrideOf: FindOverride;
  readonly chaos: Chaos;
}

/** What is tried. */
export interface Try<T> {
  readonly fn: (signal: AbortSignal) => Promise<T>;
  /** The caller's. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly ignoresOrders: boolean;
}

/** What one try has come to. */
export type Attempt<T> =
  | { readonly value: T; readonly verdict?: never }
  | { readonly error: unknown; readonly verdict: Verdict };

/** The policies of one dependency. */
export interface Guard {
  readonly dependency: Dependency;
  readonly breaker: Breaker;
  readonly budget: RetryBudget;
  /**
   * One try: operator's order → breaker → bulkhead → timeout. Who had to wait for a turn is asked again whether it may pass.
   *
   * @throws AppError `unavailable` when it is not let through; the signal's reason as it is
   */
  attempt<T>(what: Try<T>): Promise<Attempt<T>>;
}

/** What a client is told to wait when nothing better is known. */
export const defaultRetryAfterMs = 5_000;

/** While an operator holds a breaker open. By then every instance has heard that it is over. */
const heldOpenRetryAfterMs = 10_000;

export function createGuard(
  dependency: Dependency,
  { clock, onEvent, settings, bulkheadSizes, overrideOf, chaos }: Surroundings,
): Guard {
  const reject = (by: RejectedBy, retryAfterMs: number) => {
    onEvent({ type: 'rejected', dependency, by });
    return unavailable(dependency, retryAfterMs);
  };
  const governed = hasBreaker(dependency);
  const breaker = createBreaker({
    clock,
    threshold: governed ? settings.breakerThreshold : 0,
    openMs: settings.breakerOpenMs,
    onState: (state) => onEvent({ type: 'breaker', dependency, state }),
    rejection: (retryAfterMs) => reject('breaker', retryAfterMs),
  });
  const bulkhead = createBulkhead(
    bulkheadSizes[kindOf(dependency)] ?? settings.bulkheadSize,
    settings.bulkheadQueue,
    () => reject('bulkhead', defaultRetryAfterMs),
  );
  const faults = chaos[kindOf(dependency)];
  /** Nothing is told to the breaker of a call that it was not asked about. */
  const enter = (ignoresOrders: boolean): Admission | undefined => {
    const mode = governed ? overrideOf(dependency)?.mode : undefined;
    if (mode === undefined || (mode === 'open' && ignoresOrders)) return breaker.enter();
    if (mode === 'open') throw reject('operator', heldOpenRetryAfterMs);
    return undefined;
  };
  /**
   * While a call waited for its turn, those before it may have found that nobody answers: a hundred would go on to a silent
   * service, ten at a time for 30 s each. One that is not let through any more gives its turn to the next.
   */
  const enterAgain = (admission: Admission | undefined, ignoresOrders: boolean) => {
    if (admission === 'probe') return admission;
    try {
      return enter(ignoresOrders);
    } catch (rejection) {
      bulkhead.leave();
      throw rejection;
    }
  };
  return {
    dependency,
    breaker,
    budget: createRetryBudget(clock, settings.budgetMinimum, settings.budgetShare),
    async attempt({ fn, signal, timeoutMs, ignoresOrders }) {
      let admission = enter(ignoresOrders);
      let verdict: Verdict | undefined = 'foreign';
      try {
        const turn = bulkhead.enter(signal);
        if (turn !== undefined) {
          await turn;
          admission = enterAgain(admission, ignoresOrders);
        }
        try {
          const value = await withTimeout(clock, timeoutMs, signal, faults ? disturb(clock, faults, fn) : fn);
          verdict = undefined;
          return { value };
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          verdict = judgeError(dependency, error);
          return { error, verdict };
        } finally {
          bulkhead.leave();
        }
      } finally {
        if (admission !== undefined) breaker.leave(admission, verdict);
      }
    },
  };
}

/** What a caller sees of a dependency that stays out of reach. */
export function unavailable(dependency: Dependency, retryAfterMs: number, cause?: unknown): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new AppError('unavailable', unavailableText(dependency), { cause, retryAfterSeconds });
}
