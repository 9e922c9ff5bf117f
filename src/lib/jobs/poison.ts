import { sql } from '../database/index.ts';
import type { Queue, QueueMessage } from '../storage/index.ts';
import { giveUp } from './claims.ts';
import { storable } from './failure.ts';
import { jobMessage } from './message.ts';
import type { WorkPorts } from './work.ts';

interface PoisonPorts extends WorkPorts {
  /** Where the platform puts a message that was delivered five times in vain. */
  readonly poisonQueue: Queue;
}

/** A run of maintenance takes 128 at most; the next one, five minutes later, goes on. */
const maxRounds = 4;
/** The most that one call gives. */
const perRound = 32;
/** One that stays is looked at again by the next run. */
const hideSeconds = 5 * 60;
const maxSubjectLength = 1_000;

/** Kind of a row that stands for a message which is no reference to a job. Nothing does such jobs. */
const strayKind = 'unknown';

/**
 * Empties the poison queue into the table of jobs, where people look: its messages would vanish by themselves after seven days.
 * The job of a message is given up, unless it is over or somebody is on it; then the message stays. What refers to no job
 * becomes a row of its own, with the text of the message as subject.
 */
export async function collectPoison(ports: PoisonPorts, signal: AbortSignal): Promise<void> {
  const { poisonQueue } = ports;
  for (let round = 1; round <= maxRounds; round++) {
    const messages = await poisonQueue.receive({ signal, count: perRound, hideSeconds });
    for (const message of messages) await settle(ports, message, signal);
    if (messages.length < perRound) return;
  }
}

async function settle(ports: PoisonPorts, message: QueueMessage, signal: AbortSignal): Promise<void> {
  const { poisonQueue } = ports;
  const id = jobMessage.safeParse(parsed(message.text)).data?.id;
  const job = id === undefined ? undefined : await look(ports, id, signal);
  if (job) return await settleJob(ports, message, job, signal);
  await keepStray(ports, message, id === undefined ? 'no_job_message' : 'no_such_job', signal);
  await poisonQueue.delete(message, { signal });
}

/**
 * The message goes first, and only who takes it away gives the job up: a reader that stood still, or comes again, would give up
 * one that somebody has tried again since. Whoever is cut off in between leaves a job that `callAgain` finds.
 */
async function settleJob(
  { logger, database, poisonQueue, count }: PoisonPorts,
  message: QueueMessage,
  { id, status, isHeld }: NonNullable<Awaited<ReturnType<typeof look>>>,
  signal: AbortSignal,
): Promise<void> {
  if (isHeld || !(await poisonQueue.delete(message, { signal }))) {
    return logger.info('a job is not given up yet, although its message was', { job_id: id, status });
  }
  const job = await database.transaction('give job up', signal, (trx) => giveUp(trx, id, 'free'));
  if (!job) return logger.info('a job is not given up, although its message was', { job_id: id, status });
  logger.error('the job is given up', { job_id: id, job_kind: job.kind, attempt: job.attempts });
  count(job.kind, 'poison');
}

function look({ database }: PoisonPorts, id: string, signal: AbortSignal) {
  const isHeld = sql<boolean>`(status = 'running' and claimed_until >= now())`;
  return database.read('look at job', signal, (db) =>
    db
      .selectFrom('jobs')
      .select(['id', 'status', isHeld.as('isHeld')])
      .where('id', '=', id)
      .executeTakeFirst(),
  );
}

const strayWords = {
  no_job_message: 'The message is no reference to a job',
  no_such_job: 'The message refers to a job that is not there',
} as const;

/** Under the id of the message, so that it is kept once, however often it comes. */
async function keepStray(
  { logger, database, count }: PoisonPorts,
  { id, text }: QueueMessage,
  code: keyof typeof strayWords,
  signal: AbortSignal,
): Promise<void> {
  const subject = storable(text, maxSubjectLength);
  logger.error('a message that no job belongs to was put aside', { job_id: id, code, text: subject });
  await database.transaction('keep stray message', signal, (trx) =>
    trx
      .insertInto('jobs')
      .values({
        id,
        kind: strayKind,
        subject,
        status: 'poison',
        finished_at: sql<string>`now()`,
        error_code: code,
        error_message: strayWords[code],
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute(),
  );
  count(strayKind, 'poison');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
