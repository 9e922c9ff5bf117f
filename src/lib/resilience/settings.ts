/** Numbers of the policy; zero is a value like any other. */
export interface ResilienceSettings {
  /** Tries after the first one. */
  readonly retries: number;
  /** Longest wait before a retry, unless the service asks for more. */
  readonly retryCapMs: number;
  /** Retries per minute and dependency that are always granted. */
  readonly budgetMinimum: number;
  /** Retries per call in the last minute beyond that. */
  readonly budgetShare: number;
  /** Failures in a row that open the breaker; 0 for none. */
  readonly breakerThreshold: number;
  readonly breakerOpenMs: number;
  /** Round trips to one dependency at a time; 0 for no limit. */
  readonly bulkheadSize: number;
  /** Calls that may wait for a turn. */
  readonly bulkheadQueue: number;
  /** Longest time for one try. */
  readonly timeoutMs: number;
}

export const defaultSettings: ResilienceSettings = {
  retries: 3,
  retryCapMs: 8_000,
  budgetMinimum: 10,
  budgetShare: 0.2,
  breakerThreshold: 5,
  breakerOpenMs: 60_000,
  bulkheadSize: 10,
  bulkheadQueue: 100,
  timeoutMs: 30_000,
};
