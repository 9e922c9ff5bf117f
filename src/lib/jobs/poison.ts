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
 * The job of a message is given up, unless it is over or somebody is on it. What refers to no job becomes a row of its own,
 * with the text of the message as subject. A message goes when its row is written; one whose job is being worked on stays.
 */
export async function collectPoison(ports: PoisonPorts, signal: AbortSignal): Promise<void> {
  const { poisonQueue } = ports;
  for (let round = 1; round <= maxRounds; round++) {
    const messages = await poisonQueue.receive({ signal, count: perRound, hideSeconds });
    for (const message of messages) {
      if (await settle(ports, message, signal)) await poisonQueue.delete(message, { signal });
    }
    if (messages.length < perRound) return;
  }
}

/** Returns whether the message has done its duty. */
async function settle(ports: PoisonPorts, message: QueueMessage, signal: AbortSignal): Promise<boolean> {
  const { logger, database, count } = ports;
  const reference = jobMessage.safeParse(parsed(message.text)).data;
  if (!reference) return await keepStray(ports, message, 'no_job_message', signal);
  const { job, status } = await database.transaction('give job up', signal, async (trx) => ({
    job: await giveUp(trx, reference.id, 'free'),
    status: await trx.selectFrom('jobs').select('status').where('id', '=', reference.id).executeTakeFirst(),
  }));
  if (job) {
    logger.error('the job is given up', { job_id: job.id, job_kind: job.kind, attempt: job.attempts });
    count(job.kind, 'poison');
    return true;
  }
  if (!status) return await keepStray(ports, message, 'no_such_job', signal);
  logger.info('a job is not given up, although its message was', {
    job_id: reference.id,
    status: status.status,
  });
  return status.status !== 'running';
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
): Promise<true> {
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
  return true;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
