import type { Database, Row } from '../database/index.ts';
import { sql } from '../database/index.ts';

/** What a worker finds when it reaches for a job. */
export type Claim =
  /** The job is ours; `attempts` counts the claims on it and tells ours from any later one. */
  | { readonly kind: 'claimed'; readonly job: Row<'jobs'> }
  /** Another worker is on it, or has died; at the latest then we know. */
  | { readonly kind: 'held'; readonly seconds: number }
  | { readonly kind: 'over' };

/** A worker that has not been heard of for so long is taken for dead. */
const claimSeconds = 120;

/** Takes a job that is queued, or whose worker has died. One statement, so that of two workers one gets it. */
export function claimJob(database: Database, id: string, signal: AbortSignal): Promise<Claim> {
  return database.transaction('claim job', signal, async (trx) => {
    const job = await trx
      .updateTable('jobs')
      .set({ status: 'running', attempts: sql<number>`attempts + 1`, claimed_until: claimEnd() })
      .where('id', '=', id)
      .where((where) =>
        where.or([
          where('status', '=', 'queued'),
          where.and([where('status', '=', 'running'), where('claimed_until', '<', sql<Date>`now()`)]),
        ]),
      )
      .returningAll()
      .executeTakeFirst();
    if (job) return { kind: 'claimed', job };
    const held = await trx
      .selectFrom('jobs')
      .select(sql<number>`ceil(extract(epoch from claimed_until - now()))::int`.as('seconds'))
      .where('id', '=', id)
      .where('status', '=', 'running')
      .executeTakeFirst();
    return held ? { kind: 'held', seconds: Math.max(1, held.seconds) } : { kind: 'over' };
  });
}

/** Keeps a claim alive. Returns false when it is no longer ours: another worker took us for dead. */
export async function extendClaim(
  database: Database,
  job: Row<'jobs'>,
  signal: AbortSignal,
): Promise<boolean> {
  const kept = await database.transaction('keep job', signal, (trx) =>
    trx
      .updateTable('jobs')
      .set({ claimed_until: claimEnd() })
      .where('id', '=', job.id)
      .where('attempts', '=', job.attempts)
      .where('status', '=', 'running')
      .returning('id')
      .executeTakeFirst(),
  );
  return kept !== undefined;
}

/** Puts a job back, for another try; the claims on it stay counted. */
export async function putBack(database: Database, job: Row<'jobs'>, signal: AbortSignal): Promise<void> {
  await database.transaction('put job back', signal, (trx) =>
    trx
      .updateTable('jobs')
      .set({ status: 'queued', claimed_until: null })
      .where('id', '=', job.id)
      .where('attempts', '=', job.attempts)
      .execute(),
  );
}

/** Notes how a job ended, unless another worker has it by now. */
export async function finishJob(
  database: Database,
  job: Pick<Row<'jobs'>, 'id' | 'attempts'>,
  outcome: { readonly finishedAt: string; readonly errorCode?: string },
  signal: AbortSignal,
): Promise<void> {
  await database.transaction('finish job', signal, (trx) =>
    trx
      .updateTable('jobs')
      .set({
        status: outcome.errorCode === undefined ? 'succeeded' : 'failed',
        error_code: outcome.errorCode ?? null,
        claimed_until: null,
        finished_at: outcome.finishedAt,
      })
      .where('id', '=', job.id)
      .where('attempts', '=', job.attempts)
      .execute(),
  );
}

/** By the clock of the database, which all workers share. */
function claimEnd() {
  return sql<string>`now() + make_interval(secs => ${claimSeconds})`;
}
