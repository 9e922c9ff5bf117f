import { AppError, startDeadline } from '../core/index.ts';
import type { Row } from '../database/index.ts';
import { sql } from '../database/index.ts';
import { callWorker } from './message.ts';
import { type JobView, toView } from './shapes.ts';
import type { WorkPorts } from './work.ts';

/** As many as a new job has, by the default of the column. */
const newAttempts = 10;
/** For giving a job back that no worker could be called for; the request itself may be over. */
const undoMs = 10_000;

/**
 * Calls a worker for a job that has failed or was given up, and gives it as many attempts as a new one. Asked for twice at
 * once, it is done once.
 *
 * @returns the job, queued
 * @throws AppError `not_found`, `job_not_retriable` for one in another state or of a kind that nobody here does; whatever kept
 *   the worker from being called: the job is then what it was before
 */
export async function retryJob(ports: WorkPorts, id: string, signal: AbortSignal): Promise<JobView> {
  const { logger, queue } = ports;
  const { before, queued } = await queueAgain(ports, id, signal);
  try {
    await callWorker(queue, queued, signal);
  } catch (error) {
    await undo(ports, before).catch((failure) => {
      // It stays queued; `callAgain` finds it within the hour.
      logger.warning('a job that was not sent could not be given back', { job_id: id, error: failure });
    });
    throw error;
  }
  logger.info('the job is tried again by hand', { job_id: id, job_kind: queued.kind });
  return toView(queued);
}

function queueAgain({ database, handlers, audit }: WorkPorts, id: string, signal: AbortSignal) {
  return database.transaction('retry job', signal, async (trx) => {
    const before = await trx
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (!before) throw new AppError('not_found', 'There is no such job');
    if (before.status !== 'failed' && before.status !== 'poison')
      throw new AppError('job_not_retriable', `The job is ${before.status}`);
    if (!Object.hasOwn(handlers, before.kind))
      throw new AppError('job_not_retriable', `Nothing here does jobs of the kind ${before.kind}`);
    const queued = await trx
      .updateTable('jobs')
      .set({
        status: 'queued',
        finished_at: null,
        queued_at: sql<string>`now()`,
        max_attempts: before.attempts + newAttempts,
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const stateOf = ({ status, max_attempts }: Row<'jobs'>) => ({ status, max_attempts });
    await audit(trx, {
      action: 'job.retry',
      object: { type: 'job', id },
      before: stateOf(before),
      after: stateOf(queued),
    });
    return { before, queued };
  });
}

async function undo({ clock, database }: WorkPorts, before: Row<'jobs'>): Promise<void> {
  using time = startDeadline(clock, undoMs);
  const { status, attempts, max_attempts, finished_at } = before;
  await database.transaction('give retried job back', time.signal, (trx) =>
    trx
      .updateTable('jobs')
      .set({ status, max_attempts, finished_at: finished_at?.toISOString() ?? null })
      .where('id', '=', before.id)
      .where('status', '=', 'queued')
      .where('attempts', '=', attempts)
      .execute(),
  );
}
