import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import { rejectOnAbort } from '../core/index.ts';

/** Lets only so many calls to one dependency run at a time. */
export interface Bulkhead {
  /** Runs `fn` when its turn comes; rejects with the signal's reason as soon as it aborts, also while waiting. */
  execute<T>(fn: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/**
 * @param size - calls that run at a time; 0 for no limit
 * @param queueSize - calls that may wait
 * @param rejection - makes the error for the call that finds the queue full
 */
export function createBulkhead(size: number, queueSize: number, rejection: () => Error): Bulkhead {
  const policy = bulkhead(size || Number.POSITIVE_INFINITY, queueSize);
  return {
    async execute(fn, signal) {
      try {
        // cockatiel looks at the signal of a waiting call only when its turn comes. Around the call itself, too: the
        // reason of the abort gets out before whatever the cancelled work makes of it.
        return await rejectOnAbort(policy.execute(fn, signal), signal);
      } catch (error) {
        throw error instanceof BulkheadRejectedError ? rejection() : error;
      }
    },
  };
}
