/** Numbers of the policy; zero is a value like any other, and says what it means. */
export interface ResilienceSettings {
  /** Tries after the first one; 0 for one try in all. */
  readonly retries: number;
  /** Longest wait before a retry, unless the service asks for more; 0 for retries at once. */
  readonly retryCapMs: number;
  /** Retries per minute and dependency that are always granted. */
  readonly budgetMinimum: number;
  /** Retries per call in the last minute beyond that; 0 here and there for no retries at all. */
  readonly budgetShare: number;
  /** Failures in a row that open the breaker; 0 for none. */
  readonly breakerThreshold: number;
  /** Pause before the probe; 0 for a probe at once. */
  readonly breakerOpenMs: number;
  /** Round trips to one dependency at a time; 0 for no limit. */
  readonly bulkheadSize: number;
  /** Calls that may wait for a turn; 0 to reject whoever finds no slot. */
  readonly bulkheadQueue: number;
  /** Longest time for one try; 0 cuts off whatever does not answer at once. */
  readonly timeoutMs: number;
}

export const defaultSettings: ResilienceSettings = {
  // With waits of at most 1, 2 and 4 s this bridges a restart of a storage partition or a failover within the pool, and
  // ends well before a client gives up.
  retries: 3,
  // A fourth or later wait would be longer than a client's patience.
  retryCapMs: 8_000,
  // One caller alone, three calls a minute, is never told that others have used it up.
  budgetMinimum: 10,
  // An outage raises the load on a service by a fifth, where three retries each would make it four times as much.
  // Source: Finagle's retry budget has the same 20 % by default (finagle.github.io/blog/2016/02/08/retry-budgets).
  budgetShare: 0.2,
  // Two calls with retries that come to nothing; one unlucky call opens nothing.
  breakerThreshold: 5,
  // A server that restarts takes about this long; a health check that passes ends the pause earlier.
  breakerOpenMs: 60_000,
  // As many connections as a pool of the database has; more at a time only wait elsewhere.
  bulkheadSize: 10,
  // A second's worth of round trips of 100 ms, ten at a time; who would wait longer is told so.
  bulkheadQueue: 100,
  // Tables and queues end an operation after 30 s themselves (learn.microsoft.com, "Setting timeouts for Table service
  // operations"), and a block of 8 MiB takes longer only over a line that is not worth waiting for.
  timeoutMs: 30_000,
};
