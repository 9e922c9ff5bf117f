import type { Change, Database, Row, Trx } from '../database/index.ts';
import { sql } from '../database/index.ts';
import type { Failure } from './failure.ts';

/** What a worker finds when it reaches for a job. */
export type Claim =
  /** The job is ours; `attempts` counts the claims on it and tells ours from any later one. */
  | { readonly kind: 'claimed'; readonly job: Row<'jobs'> }
  /** Another worker is on it, or has died; at the latest then we know. */
  | { readonly kind: 'held'; readonly seconds: number }
  /** All its attempts were begun, and the last one ended without a word. It is `poison` now. */
  | { readonly kind: 'given-up'; readonly job: Row<'jobs'> }
  | { readonly kind: 'over' };

/** How an attempt ended for good. */
export type Ending =
  | { readonly status: 'succeeded' }
  | { readonly status: 'failed' | 'poison'; readonly failure: Failure };

/** A job as its worker knows it: while all of this is so, nobody else has had to do with it. */
export type ClaimedJob = Pick<Row<'jobs'>, 'id' | 'attempts' | 'status'>;

/** A worker that has not been heard of for so long is taken for dead. */
const claimSeconds = 120;

/** Nobody is on it: it is queued, or its worker has died. */
const isFree = sql<boolean>`(status = 'queued' or (status = 'running' and claimed_until < now()))`;
const attemptsLeft = sql<boolean>`attempts < max_attempts`;

/** Takes a job that is queued, or whose worker has died. One statement, so that of two workers one gets it. */
export function claimJob(database: Database, id: string, signal: AbortSignal): Promise<Claim> {
  return database.transaction('claim job', signal, async (trx) => {
    const job = await trx
      .updateTable('jobs')
      .set({
        status: 'running',
        attempts: sql<number>`attempts + 1`,
        claimed_until: claimEnd(),
        started_at: sql<string>`now()`,
      })
      .where('id', '=', id)
      .where(isFree)
      .where(attemptsLeft)
      .returningAll()
      .executeTakeFirst();
    if (job) return { kind: 'claimed', job };
    const abandoned = await giveUp(trx, id);
    if (abandoned) return { kind: 'given-up', job: abandoned };
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
export function extendClaim(database: Database, job: ClaimedJob, signal: AbortSignal): Promise<boolean> {
  return changeOwn(database, 'keep job', job, { claimed_until: claimEnd() }, signal);
}

/** Puts a job back, for another try; the claims on it stay counted. Returns false when it is no longer ours. */
export function putBack(
  database: Database,
  job: ClaimedJob,
  failure: Failure,
  signal: AbortSignal,
): Promise<boolean> {
  const queued = { status: 'queued' as const, claimed_until: null, queued_at: sql<string>`now()` };
  return changeOwn(database, 'put job back', job, { ...queued, ...columnsOf(failure) }, signal);
}

/** Notes how a job ended. Returns false, and changes nothing, when it is no longer ours. */
export function finishJob(
  database: Database,
  job: ClaimedJob,
  ending: Ending,
  signal: AbortSignal,
): Promise<boolean> {
  const failure = ending.status === 'succeeded' ? undefined : ending.failure;
  const ended = { status: ending.status, claimed_until: null, finished_at: sql<string>`now()` };
  return changeOwn(database, 'finish job', job, { ...ended, ...columnsOf(failure) }, signal);
}

async function changeOwn(
  database: Database,
  operation: string,
  job: ClaimedJob,
  change: Change<'jobs'>,
  signal: AbortSignal,
): Promise<boolean> {
  const changed = await database.transaction(operation, signal, (trx) =>
    trx
      .updateTable('jobs')
      .set(change)
      .where('id', '=', job.id)
      .where('attempts', '=', job.attempts)
      .where('status', '=', job.status)
      .returning('id')
      .executeTakeFirst(),
  );
  return changed !== undefined;
}

/**
 * Gives a job up that nobody is on and nobody will come for. What its last attempt said of itself is kept; one that ended
 * without a word is called `abandoned`.
 *
 * @param when - `spent`: only one without an attempt left
 * @returns the job as it is now; `undefined` when it is not there, over, somebody's, or (`spent`) has attempts left
 */
export function giveUp(
  trx: Trx,
  id: string,
  when: 'spent' | 'free' = 'spent',
): Promise<Row<'jobs'> | undefined> {
  const lastWord = (column: 'error_code' | 'error_message', otherwise: string) =>
    sql<string>`case status when 'queued' then coalesce(${sql.ref(column)}, ${otherwise}) else ${otherwise} end`;
  return trx
    .updateTable('jobs')
    .set({
      status: 'poison',
      claimed_until: null,
      finished_at: sql<string>`now()`,
      error_code: lastWord('error_code', 'abandoned'),
      error_message: lastWord('error_message', 'Several times a worker was called, and none ended the job'),
      error_detail: sql<string | null>`case status when 'queued' then error_detail end`,
    })
    .where('id', '=', id)
    .where(isFree)
    .$if(when === 'spent', (query) => query.where(sql<boolean>`not ${attemptsLeft}`))
    .returningAll()
    .executeTakeFirst();
}

function columnsOf(failure: Failure | undefined) {
  return {
    error_code: failure?.code ?? null,
    error_message: failure?.message ?? null,
    error_detail: failure?.detail ?? null,
  };
}

/** By the clock of the database, which all workers share. */
function claimEnd() {
  return sql<string>`now() + make_interval(secs => ${claimSeconds})`;
}
