import type { BreakerState } from './breaker.ts';
import type { Dependency } from './dependencies.ts';
import type { FailureDescription } from './failure-description.ts';
import type { BreakerMode } from './override.ts';

/** Why a failed call was not tried again. */
export type GiveUpReason = 'not_retriable' | 'not_repeatable' | 'attempts' | 'deadline' | 'budget';

/** What did not let a call through. */
export type RejectedBy = 'breaker' | 'bulkhead' | 'operator';

/** What happens to calls, for logs and metrics. Success is silent, and so is the caller's own abort. */
export type ResilienceEvent =
  | {
      readonly type: 'retry';
      readonly dependency: Dependency;
      readonly operation: string;
      /** The try that has just failed, from 1. */
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: unknown;
    }
  | ({
      readonly type: 'give_up';
      readonly dependency: Dependency;
      readonly operation: string;
      readonly attempts: number;
      readonly reason: GiveUpReason;
      readonly error: unknown;
    } & FailureDescription)
  | {
      /** A call that was not let through. */
      readonly type: 'rejected';
      readonly dependency: Dependency;
      readonly by: RejectedBy;
    }
  | { readonly type: 'breaker'; readonly dependency: Dependency; readonly state: BreakerState }
  | {
      /** This instance obeys an operator's order from now on, or no longer. */
      readonly type: 'breaker_mode';
      readonly dependency: Dependency;
      /** Who gave the order. */
      readonly by: string;
      readonly before: BreakerMode;
      readonly after: BreakerMode;
    };
