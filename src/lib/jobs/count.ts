import type { Metrics } from '../observability/index.ts';

/** What became of an attempt; `put_back`: there will be another one. */
type Outcome = 'succeeded' | 'failed' | 'put_back' | 'poison';

/** Counts what became of an attempt at a job. */
export type CountJob = (kind: string, outcome: Outcome) => void;

/**
 * Makes the counter `jobs_total`.
 *
 * @param kinds - those that are known; a message can hold any text, and each would be a series of its own
 */
export function countJobs(metrics: Metrics, kinds: readonly string[]): CountJob {
  const counter = metrics.counter('jobs_total', 'Attempts at jobs that have ended, by kind and outcome');
  return (kind, outcome) => counter.add({ kind: kinds.includes(kind) ? kind : 'unknown', outcome });
}
