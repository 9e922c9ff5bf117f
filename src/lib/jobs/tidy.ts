import type { Database } from '../database/index.ts';
import { sql } from '../database/index.ts';
import { callWorker } from './message.ts';
import type { WorkPorts } from './work.ts';

/**
 * A process that died between writing a job down and calling a worker leaves one that nobody comes for. The queue is empty
 * within minutes; a message too many does no harm.
 */
const lostAfter = sql`interval '1 hour'`;
const maxCalls = 100;

/** Ended jobs are history; given-up ones are kept longer, because somebody has to look at them. */
const keepEnded = sql`interval '30 days'`;
const keepPoison = sql`interval '90 days'`;
/** Short locks; the next run goes on. */
const maxRemoved = 1_000;

/** Calls a worker again for jobs that have waited for one too long, or whose worker died long ago. */
export async function callAgain(ports: WorkPorts, signal: AbortSignal): Promise<void> {
  const { database, queue, logger } = ports;
  const lost = await database.transaction('find lost jobs', signal, (trx) =>
    trx
      .updateTable('jobs')
      .set({ queued_at: sql<string>`now()` })
      .where('id', 'in', (jobs) =>
        jobs
          .selectFrom('jobs')
          .select('id')
          .where(
            sql<boolean>`(status = 'queued' or (status = 'running' and claimed_until < now() - ${lostAfter}))`,
          )
          .where(sql<boolean>`queued_at < now() - ${lostAfter}`)
          .orderBy('queued_at')
          .limit(maxCalls)
          .forUpdate()
          .skipLocked(),
      )
      .returning(['id', 'kind'])
      .execute(),
  );
  for (const job of lost) {
    await callWorker(queue, job, signal);
    logger.warning('a job had waited too long: a worker was called again', {
      job_id: job.id,
      job_kind: job.kind,
    });
  }
}

/** Removes jobs that ended long ago. */
export async function removeOld(database: Database, signal: AbortSignal): Promise<void> {
  await database.transaction('remove old jobs', signal, (trx) =>
    trx
      .deleteFrom('jobs')
      .where('id', 'in', (jobs) =>
        jobs
          .selectFrom('jobs')
          .select('id')
          .where(sql<boolean>`finished_at < now() - ${keepEnded}`)
          .where(sql<boolean>`(status <> 'poison' or finished_at < now() - ${keepPoison})`)
          .orderBy('finished_at')
          .limit(maxRemoved)
          .forUpdate()
          .skipLocked(),
      )
      .execute(),
  );
}
