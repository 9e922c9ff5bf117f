import { AppError, newId, startDeadline } from '../core/index.ts';
import type { Row, Trx } from '../database/index.ts';
import type { Cursors } from '../http/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { Queue } from '../storage/index.ts';
import { finishJob } from './claims.ts';
import { countJobs } from './count.ts';
import { describeFailure } from './failure.ts';
import { countJobs as countRows, listJobs } from './list-jobs.ts';
import { callWorker } from './message.ts';
import { collectPoison } from './poison.ts';
import { retryJob } from './retry.ts';
import { type JobListQuery, type JobView, toView } from './shapes.ts';
import { callAgain, removeOld } from './tidy.ts';
import { type WorkPorts, work } from './work.ts';

interface JobsPorts extends Omit<WorkPorts, 'count'> {
  readonly metrics: Metrics;
  readonly cursors: Cursors;
  /** Where the platform puts a message that was delivered five times in vain. */
  readonly poisonQueue: Queue;
}

export type Jobs = ReturnType<typeof createJobs>;

/** For noting that no worker could be called; the request itself may be over. */
const recordMs = 10_000;

/** Makes the jobs room: work that outlives the request which asked for it. */
export function createJobs(options: JobsPorts) {
  const { clock, database, queue, cursors, metrics, handlers } = options;
  const logger = options.logger.child('jobs');
  const ports = { ...options, logger, count: countJobs(metrics, Object.keys(handlers)) };

  async function find(id: string, signal: AbortSignal): Promise<Row<'jobs'>> {
    const job = await database.read('find job', signal, (db) =>
      db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst(),
    );
    if (!job) throw new AppError('not_found', 'There is no such job');
    return job;
  }

  return {
    /**
     * Writes the job down and calls a worker for it.
     *
     * @param alongside - writes what belongs to the job, in the same transaction
     * @returns the job as it was written down
     * @throws when the worker could not be called; then the job is `failed`
     */
    async enqueue(
      kind: string,
      subject: string,
      signal: AbortSignal,
      alongside?: (trx: Trx, id: string) => Promise<void>,
    ): Promise<JobView> {
      const id = newId();
      const job = await database.transaction('write down job', signal, async (trx) => {
        const row = await trx
          .insertInto('jobs')
          .values({ id, kind, subject, status: 'queued' })
          .returningAll()
          .executeTakeFirstOrThrow();
        await alongside?.(trx, id);
        return row;
      });
      try {
        await callWorker(queue, { id, kind }, signal);
      } catch (error) {
        using time = startDeadline(clock, recordMs);
        const failure = { ...describeFailure(error), code: 'not_sent' };
        await finishJob(
          database,
          { id, attempts: 0, status: 'queued' },
          { status: 'failed', failure },
          time.signal,
        ).catch((cause) => {
          logger.warning('a job that was not sent could not be noted as failed', {
            job_id: id,
            error: cause,
          });
        });
        throw error;
      }
      return toView(job);
    },

    /**
     * Does the job a message refers to, unless it is over. Messages come at least once, the claim in the database makes the
     * work happen once. While another worker is on the job, the message is sent again for when that one may have died. A job
     * that fails is noted as failed; the message has done its duty.
     *
     * @throws for a message that is no reference to a job of ours, or when the database is out of reach: it comes again then
     */
    work: (message: unknown, signal: AbortSignal): Promise<void> => work(ports, message, signal),

    /** One page of all jobs, newest first. */
    list: (query: JobListQuery, signal: AbortSignal) => listJobs({ database, cursors }, query, signal),

    /** @throws AppError `not_found` */
    get: async (id: string, signal: AbortSignal): Promise<JobView> => toView(await find(id, signal)),

    /** What went wrong at the last attempt that failed, in words for operators only. @throws AppError `not_found` */
    errorDetail: async (id: string, signal: AbortSignal): Promise<string | undefined> =>
      (await find(id, signal)).error_detail ?? undefined,

    /** Calls a worker again. @throws AppError `not_found`, `job_not_retriable` unless it has failed or was given up */
    retry: (id: string, signal: AbortSignal): Promise<JobView> => retryJob(ports, id, signal),

    /** Gives up the jobs whose messages the platform has put aside. */
    collectPoison: (signal: AbortSignal): Promise<void> => collectPoison(ports, signal),

    /** Calls a worker again for jobs that nobody came for. */
    callAgain: (signal: AbortSignal): Promise<void> => callAgain(ports, signal),

    /** Removes jobs that ended 30 days ago, given-up ones after 90. */
    removeOld: (signal: AbortSignal): Promise<void> => removeOld(database, signal),

    /** How many jobs are given up and wait for somebody to look at them; counted to 10,001. */
    poisonCount: (signal: AbortSignal): Promise<number> =>
      database.read('count poison jobs', signal, (db) => countRows(db, 'poison')),
  };
}
