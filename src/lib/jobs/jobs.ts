import * as z from 'zod';
import {
  type Clock,
  isAppError,
  isId,
  type LinkedAbort,
  linkAbort,
  newId,
  type ProblemCode,
  startDeadline,
  toTimestamp,
} from '../core/index.ts';
import type { Database, Row } from '../database/index.ts';
import { currentContext, type Logger } from '../observability/index.ts';
import type { Queue } from '../storage/index.ts';
import { claimJob, extendClaim, finishJob, putBack } from './claims.ts';

/** A message of the queue `jobs`: only a reference, the job itself is in the database. */
export const jobMessage = z.strictObject({
  kind: z.string().min(1).max(50),
  id: z.string().refine(isId),
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
   * Does the job a message refers to, unless it is over. Messages come at least once, the claim in the database makes the
   * work happen once. While another worker is on the job, the message is sent again for when that one may have died. A job
   * that fails is noted as failed; the message has done its duty.
   *
   * @throws for a message that is no reference to a job of ours, or when the database is out of reach: it comes again then
   */
  work(message: unknown, signal: AbortSignal): Promise<void>;
}

/**
 * Errors that say "not now": another run is alive, or seems so for a few minutes after its death, or a dependency is away.
 * The job is tried again every minute, for as long as that may take.
 */
const transientCodes: readonly ProblemCode[] = ['backup_running', 'unavailable'];
const retryAfterSeconds = 60;
const maxAttempts = 10;

const heartbeatMs = 30_000;
/** For writing down an outcome; what ended the job may be that its own time was over. */
const finishMs = 30_000;

/** Makes the jobs room. */
export function createJobs(ports: JobsPorts): Jobs {
  const { clock, database, queue } = ports;
  const logger = ports.logger.child('jobs');

  async function finish(job: Pick<Row<'jobs'>, 'id' | 'attempts'>, errorCode?: string): Promise<void> {
    using time = startDeadline(clock, finishMs);
    const finishedAt = toTimestamp(clock.now());
    await finishJob(
      database,
      job,
      { finishedAt, ...(errorCode !== undefined && { errorCode }) },
      time.signal,
    );
  }

  async function run(
    job: Row<'jobs'>,
    message: JobMessage,
    handler: JobHandler,
    signal: AbortSignal,
  ): Promise<void> {
    using life = linkAbort(signal);
    const stopHeartbeat = startHeartbeat({ ...ports, logger }, job, life);
    try {
      await handler(job.subject, life.signal);
    } catch (error) {
      if (job.attempts < maxAttempts && isAppError(error) && transientCodes.includes(error.code)) {
        logger.warning('the job is tried again later', {
          job_id: job.id,
          attempt: job.attempts,
          code: error.code,
        });
        return await tryLater(job, message);
      }
      logger.error('the job failed', { job_id: job.id, job_kind: job.kind, attempt: job.attempts, error });
      return await finish(job, errorCodeOf(error));
    } finally {
      stopHeartbeat();
    }
    await finish(job);
  }

  async function tryLater(job: Row<'jobs'>, message: JobMessage): Promise<void> {
    using time = startDeadline(clock, finishMs);
    const { signal } = time;
    await putBack(database, job, signal);
    await queue.send(JSON.stringify(message), { signal, visibilityDelaySeconds: retryAfterSeconds });
  }

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
        await finish({ id, attempts: 0 }, 'not_sent').catch((failure) => {
          logger.warning('a job that was not sent could not be noted as failed', {
            job_id: id,
            error: failure,
          });
        });
        throw error;
      }
    },
    async work(received, signal) {
      const message = jobMessage.parse(received);
      const { id, kind } = message;
      const handler = ports.handlers[kind];
      if (!handler) throw new Error(`there is no handler for jobs of the kind ${kind}`);
      const claim = await claimJob(database, id, signal);
      if (claim.kind === 'claimed') return run(claim.job, message, handler, signal);
      if (claim.kind === 'over') return logger.info('the job is over already', { job_id: id });
      logger.info('another worker is on the job', { job_id: id, seconds: claim.seconds });
      await queue.send(JSON.stringify(message), { signal, visibilityDelaySeconds: claim.seconds });
    },
  };
}

/** Keeps the claim alive while the job runs; aborts the job when the claim has gone to another worker. */
function startHeartbeat(
  { clock, logger, database }: Pick<JobsPorts, 'clock' | 'logger' | 'database'>,
  job: Row<'jobs'>,
  life: LinkedAbort,
): () => void {
  let cancel = () => {};
  let stopped = false;
  const beat = async () => {
    try {
      if (await extendClaim(database, job, life.signal)) return;
      stopped = true;
      life.abort(new Error('another worker has taken the job over'));
    } catch (error) {
      // The next beat makes up for it; a claim outlives three that are missed.
      logger.warning('the claim on a job could not be renewed', { job_id: job.id, error });
    }
  };
  const schedule = () => {
    cancel = clock.after(heartbeatMs, () => {
      void beat().finally(() => {
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

function errorCodeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : 'internal';
}
