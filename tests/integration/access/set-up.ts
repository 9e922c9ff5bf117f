import { inject } from 'vitest';
import { createErasures, createKeyAdministration, createProjects } from '../../../src/lib/access/index.ts';
import { createCaches } from '../../../src/lib/cache/index.ts';
import { systemClock } from '../../../src/lib/core/index.ts';
import {
  type AuditEntry,
  createIdempotency,
  type Database,
  migrateToLatest,
  parseDatabaseUrl,
  type RecordAudit,
  type Trx,
} from '../../../src/lib/database/index.ts';
import { createFiles } from '../../../src/lib/files/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { createJobs } from '../../../src/lib/jobs/jobs.ts';
import { createMetrics } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';
import { memoryQueue } from '../../support/memory/memory-queue.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';

export const { signal } = new AbortController();
export const container = 'files';
const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };
const keyring = createKeyring('a secret of at least 32 bytes, for tests');
const cursors = createCursors(keyring);

/** A database of its own with the tables of the app. */
export async function openAccessDatabase() {
  const url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  const database = openDatabase(url, createResilience({ clock: systemClock }));
  return {
    url,
    database,
    async close() {
      await database.close();
      await dropDatabase(url);
    },
  };
}

/** Both containers of files. */
export function makeContainers() {
  return { blobs: memoryBlobStore(), trash: memoryBlobStore() };
}

/** The administration, as one process of the app has it; `entries` holds what was left in the audit trail. */
export function startProcess(
  database: Database,
  { blobs, trash }: ReturnType<typeof makeContainers> = makeContainers(),
  trail?: RecordAudit,
) {
  const clock = systemClock;
  const entries: AuditEntry[] = [];
  const forgotten: string[] = [];
  const audit = trail ?? (async (_trx: Trx, entry: AuditEntry) => void entries.push(entry));
  const idempotency = createIdempotency({ database, clock, logger });
  const ports = { clock, database, keyring, cursors, idempotency, audit };
  const files = createFiles({
    ...ports,
    logger,
    metrics: createMetrics('test'),
    caches: createCaches({ clock, logger, table: memoryTableStore, instance: 'test' }),
    blobs,
    trash,
    container,
    rules: { maxBytes: 10_000, extensions: ['png'] },
  });
  const queue = memoryQueue();
  let worked = 0;
  const erasures = createErasures({
    ...ports,
    logger,
    container,
    enqueue: (id, enqueueSignal, alongside) => jobs.enqueue('erasure', id, enqueueSignal, alongside),
    eraseFiles: files.erase,
    purge: files.purge,
    eraseAuditFacts: async () => {},
    forgetInAudit: async (_trx, userId) => void forgotten.push(userId),
  });
  const jobs = createJobs({
    clock,
    logger,
    metrics: createMetrics('test'),
    database,
    audit,
    cursors,
    queue,
    poisonQueue: memoryQueue(),
    handlers: { erasure: erasures.run },
  });
  return {
    entries,
    forgotten,
    files,
    jobs,
    erasures,
    keys: createKeyAdministration(ports),
    projects: createProjects(ports),
    /** Does what the messages sent so far ask for. */
    async work() {
      for (const { text } of queue.sent.slice(worked)) {
        worked++;
        await jobs.work(JSON.parse(text), signal);
      }
    },
  };
}
