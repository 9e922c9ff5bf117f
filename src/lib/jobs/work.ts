import { type Clock, isAppError, linkAbort, type ProblemCode, startDeadline } from '../core/index.ts';
import type { Database, RecordAudit, Row } from '../database/index.ts';
import { type Logger, writeKeptLines } from '../observability/index.ts';
import type { Queue } from '../storage/index.ts';
import { claimJob, type Ending, finishJob, putBack } from './claims.ts';
import type { CountJob } from './count.ts';
import { describeFailure } from './failure.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type JobMessage, jobMessage } from './message.ts';

/** Does the work of one kind of job on its subject. May be called again for the same subject after a crash. */
export type JobHandler = (subject: string, signal: AbortSignal) => Promise<void>;

export interface WorkPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
  readonly audit: RecordAudit;
  readonly queue: Queue;
  readonly handlers: Readonly<Record<string, JobHandler>>;
  readonly count: CountJob;
}

/**
 * Errors that say "not now": another run is alive, or seems so for a few minutes after its death, or a dependency is away, or
 * the process stops. The job is tried again every minute, for as long as it has attempts left.
 */
const transientCodes: readonly ProblemCode[] = ['backup_running', 'unavailable'];
const retryAfterSeconds = 60;
/** For writing down an outcome; what ended the job may be that its own time was over. */
const recordMs = 30_000;

/**
 * Does the job a message refers to, unless it is over or somebody else is on it.
 *
 * @throws for a message that is no reference to a job of ours, or when the database is out of reach: it comes again then
 */
export async function work(ports: WorkPorts, received: unknown, signal: AbortSignal): Promise<void> {
  const { clock, logger, database, queue } = ports;
  const message = jobMessage.parse(received);
  const { id, kind } = message;
  const handler = Object.hasOwn(ports.handlers, kind) ? ports.handlers[kind] : undefined;
  if (!handler) throw new Error(`there is no handler for jobs of the kind ${kind}`);
  const claimedMs = clock.monotonicMs();
  const claim = await claimJob(database, id, signal);
  logger.debug('a job was claimed, or not', { job_id: id, job_kind: kind, claim: claim.kind });
  if (claim.kind === 'claimed') return run(ports, { job: claim.job, claimedMs, message, handler }, signal);
  if (claim.kind === 'over') return logger.info('the job is over already', { job_id: id });
  if (claim.kind === 'given-up') {
    logger.error('the job is given up', { job_id: id, job_kind: kind, attempt: claim.job.attempts });
    return ports.count(kind, 'poison');
  }
  logger.info('another worker is on the job', { job_id: id, seconds: claim.seconds });
  await queue.send(JSON.stringify(message), { signal, visibilityDelaySeconds: claim.seconds });
}

/** A job that is ours now. */
interface Run {
  readonly job: Row<'jobs'>;
  /** Of the steady clock, from before the claim was asked for. */
  readonly claimedMs: number;
  readonly message: JobMessage;
  readonly handler: JobHandler;
}

async function run(
  ports: WorkPorts,
  { job, claimedMs, message, handler }: Run,
  signal: AbortSignal,
): Promise<void> {
  using life = linkAbort(signal);
  const stopHeartbeat = startHeartbeat(ports, job, life, claimedMs);
  try {
    await handler(job.subject, life.signal);
  } catch (error) {
    return await noteFailure(ports, job, message, error);
  } finally {
    stopHeartbeat();
  }
  await finish(ports, job, { status: 'succeeded' });
}

async function noteFailure(
  ports: WorkPorts,
  job: Row<'jobs'>,
  message: JobMessage,
  error: unknown,
): Promise<void> {
  const { clock, logger, database, queue } = ports;
  const facts = { job_id: job.id, job_kind: job.kind, attempt: job.attempts, error };
  const failure = describeFailure(error);
  const isTransient = isAppError(error) && transientCodes.includes(error.code);
  if (!isTransient || job.attempts >= job.max_attempts) {
    writeKeptLines();
    logger.error(isTransient ? 'the job is given up' : 'the job failed', facts);
    return await finish(ports, job, { status: isTransient ? 'poison' : 'failed', failure });
  }
  logger.warning('the job is tried again later', facts);
  using time = startDeadline(clock, recordMs);
  if (!(await putBack(database, job, failure, time.signal))) return noteLoss(ports, job);
  ports.count(job.kind, 'put_back');
  const options = { signal: time.signal, visibilityDelaySeconds: retryAfterSeconds };
  await queue.send(JSON.stringify(message), options);
}

async function finish(ports: WorkPorts, job: Row<'jobs'>, ending: Ending): Promise<void> {
  using time = startDeadline(ports.clock, recordMs);
  if (!(await finishJob(ports.database, job, ending, time.signal))) return noteLoss(ports, job);
  ports.count(job.kind, ending.status);
}

/** Whoever has the job now says how it ends. */
function noteLoss({ logger }: WorkPorts, { id, attempts }: Row<'jobs'>): void {
  logger.warning('the outcome is not noted: the job has gone to somebody else', {
    job_id: id,
    attempt: attempts,
  });
}
