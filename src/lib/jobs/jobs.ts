import * as z from 'zod';
import { type Clock, newId, toTimestamp } from '../core/index.ts';
import type { Database, Row } from '../database/index.ts';
import { sql } from '../database/index.ts';
import { currentContext, type Logger } from '../observability/index.ts';
import type { Queue } from '../storage/index.ts';

/** A message of the queue `jobs`: only a reference, the job itself is in the database. */
export const jobMessage = z.strictObject({
  kind: z.string().min(1).max(50),
  id: z.uuid(),
  correlation_id: z.string().max(128).optional(),
});

type JobMessage = z.infer<typeof jobMessage>;

/** Does the work of one kind of job on its subject. May be called again for the same subject after a crash. */
export type JobHandler = (subject: string, signal: AbortSignal) => Promise<void>;

interface JobsPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
  readonly queue: Queue;
  readonly handlers: Readonly<Record<string, JobHandler>>;
}

/** Work that outlives the request which asked for it. */
export interface Jobs {
  /** Writes the job down and calls a worker for it. @throws when the worker could not be called; then the job is `failed` */
  enqueue(kind: string, subject: string, signal: AbortSignal): Promise<void>;
  /**
   * Does the job a message refers to, unless it is done or another worker is on it. Messages come at least once, the claim
   * in the database makes the work happen once. A job that fails is noted as failed; the message has done its duty.
   *
   * @throws for a message that is no reference to a job, or when the database is out of reach: it comes again then
   */
  work(message: unknown, signal: AbortSignal): Promise<void>;
}

/** A worker that has not been heard of for so long is taken for dead. */
const claimSeconds = 120;
const heartbeatMs = 30_000;

/** Makes the jobs room. */
export function createJobs(ports: JobsPorts): Jobs {
  const { clock, database, queue } = ports;
  const logger = ports.logger.child('jobs');
  const finish = (id: string, errorCode: string | undefined, signal: AbortSignal) =>
    database.transaction('finish job', signal, (trx) =>
      trx
        .updateTable('jobs')
        .set({
          status: errorCode === undefined ? 'succeeded' : 'failed',
          error_code: errorCode ?? null,
          claimed_until: null,
          finished_at: toTimestamp(clock.now()),
        })
        .where('id', '=', id)
        .execute(),
    );

  return {
    async enqueue(kind, subject, signal) {
      const id = newId();
      await database.transaction('write down job', signal, (trx) =>
        trx
          .insertInto('jobs')
          .values({ id, kind, subject, status: 'queued' })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute(),
      );
      const message: JobMessage = { kind, id, correlation_id: currentContext()?.correlationId };
      try {
        await queue.send(JSON.stringify(message), { signal });
      } catch (error) {
        await finish(id, 'not_sent', signal).catch(() => {});
        throw error;
      }
    },
    async work(message, signal) {
      const { id, kind } = jobMessage.parse(message);
      const job = await claim(database, id, signal);
      if (!job) {
        logger.info('the job is done, or another worker is on it', { job_id: id });
        return;
      }
      const handler = ports.handlers[kind];
      if (!handler) throw new Error(`there is no handler for jobs of the kind ${kind}`);
      const stopHeartbeat = startHeartbeat(ports, id, signal);
      try {
        await handler(job.subject, signal);
        await finish(id, undefined, signal);
      } catch (error) {
        logger.error('the job failed', { job_id: id, job_kind: kind, attempt: job.attempts, error });
        await finish(id, errorCodeOf(error), signal);
      } finally {
        stopHeartbeat();
      }
    },
  };
}

/** Takes a job that is queued, or whose worker has died. One statement, so that of two workers one gets it. */
function claim(database: Database, id: string, signal: AbortSignal): Promise<Row<'jobs'> | undefined> {
  return database.transaction('claim job', signal, (trx) =>
    trx
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
      .executeTakeFirst(),
  );
}

/** By the clock of the database, which all workers share. */
function claimEnd() {
  return sql<string>`now() + make_interval(secs => ${claimSeconds})`;
}

/** Keeps the claim alive while the job runs. A missed beat is made up by the next; four in a row lose the claim. */
function startHeartbeat({ clock, logger, database }: JobsPorts, id: string, signal: AbortSignal): () => void {
  let cancel = () => {};
  let stopped = false;
  const schedule = () => {
    cancel = clock.after(heartbeatMs, () => {
      extendClaim(database, id, signal)
        .catch((error) => logger.warning('the claim on a job could not be renewed', { job_id: id, error }))
        .finally(() => {
          if (!stopped) schedule();
        });
    });
  };
  schedule();
  return () => {
    stopped = true;
    cancel();
  };
}

function extendClaim(database: Database, id: string, signal: AbortSignal): Promise<unknown> {
  return database.transaction('keep job', signal, (trx) =>
    trx
      .updateTable('jobs')
      .set({ claimed_until: claimEnd() })
      .where('id', '=', id)
      .where('status', '=', 'running')
      .execute(),
  );
}

function errorCodeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : 'internal';
}
