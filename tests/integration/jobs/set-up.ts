import { inject } from 'vitest';
import { type Clock, systemClock } from '../../../src/lib/core/index.ts';
import {
  type AuditEntry,
  type Database,
  migrateToLatest,
  parseDatabaseUrl,
  sql,
} from '../../../src/lib/database/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { createJobs } from '../../../src/lib/jobs/jobs.ts';
import type { JobHandler } from '../../../src/lib/jobs/work.ts';
import { createMetrics } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { memoryQueue } from '../../support/memory/memory-queue.ts';

export const { signal } = new AbortController();

/** A database of its own with the tables of the app. */
export async function openJobsDatabase() {
  const url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  const database = openDatabase(url, createResilience({ clock: systemClock }));
  return {
    database,
    async close() {
      await database.close();
      await dropDatabase(url);
    },
  };
}

/** Jobs of the kind `test`, with queues in memory; `failing` says what does not work. `lines` holds what was logged, `audited` what was recorded. */
export function makeJobs(
  database: Database,
  handler: JobHandler = async () => {},
  clock: Clock = systemClock,
) {
  const queue = memoryQueue();
  const poisonQueue = memoryQueue();
  const metrics = createMetrics('test');
  const lines: string[] = [];
  const audited: AuditEntry[] = [];
  const log = (message: string) => void lines.push(message);
  const logger = { debug: log, info: log, warning: log, error: log, child: () => logger };
  const failing: {
    send?: Error | undefined;
    delete?: Error | undefined;
    operation?: string | undefined;
    /** Happens once, while a reader of the poison queue stands still with messages in its hands. */
    meanwhile?: (() => Promise<void>) | undefined;
    /** The operation does not fail, but never ends. */
    hangs?: boolean;
  } = {};
  const jobs = createJobs({
    clock,
    logger,
    metrics,
    database: {
      ...database,
      transaction: (operation, ...rest) =>
        operation === failing.operation
          ? failing.hangs
            ? new Promise<never>(() => {})
            : Promise.reject(new Error(`no ${operation} today`))
          : database.transaction(operation, ...rest),
    },
    audit: async (_trx, ...entries) => void audited.push(...entries),
    cursors: createCursors(createKeyring('a secret of at least 32 bytes, for tests')),
    queue: {
      ...queue,
      send: (text, options) => (failing.send ? Promise.reject(failing.send) : queue.send(text, options)),
    },
    poisonQueue: {
      ...poisonQueue,
      async receive(options) {
        const messages = await poisonQueue.receive(options);
        const { meanwhile } = failing;
        failing.meanwhile = undefined;
        await meanwhile?.();
        return messages;
      },
      delete: (message, options) =>
        failing.delete ? Promise.reject(failing.delete) : poisonQueue.delete(message, options),
    },
    handlers: { test: handler },
  });
  return {
    jobs,
    queue,
    poisonQueue,
    lines,
    audited,
    failing,
    /** The messages sent so far, as the platform hands them over. */
    messages: () => queue.sent.map(({ text }) => JSON.parse(text) as { readonly id: string }),
    /** Writes a job down and resolves with its message. */
    async enqueue(subject = 'a thing', kind = 'test') {
      await jobs.enqueue(kind, subject, signal);
      return JSON.parse(queue.sent.at(-1)?.text ?? '') as { readonly id: string };
    },
    /** The values of `jobs_total` by outcome. */
    async counted() {
      const text = await metrics.render();
      const series = text.matchAll(/^jobs_total\{kind="(\w+)",outcome="(\w+)",.*\} (\d+)$/gm);
      return Object.fromEntries(
        [...series].map(([, kind, outcome, value]) => [`${kind} ${outcome}`, Number(value)]),
      );
    },
  };
}

/** Changes a job, as another worker or time would. */
export async function change(database: Database, id: string, columns: string): Promise<void> {
  await database.transaction('change', signal, (trx) =>
    sql`update jobs set ${sql.raw(columns)} where id = ${id}`.execute(trx),
  );
}

export function rowOf(database: Database, id: string) {
  return database.read('look', signal, (db) =>
    db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}
