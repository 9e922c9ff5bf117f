import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createBackups } from '../../../src/lib/backup/index.ts';
import { AppError, systemClock } from '../../../src/lib/core/index.ts';
import {
  createIdempotency,
  type Database,
  migrateToLatest,
  parseDatabaseUrl,
  sql,
} from '../../../src/lib/database/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { createJobs } from '../../../src/lib/jobs/index.ts';
import { createMetrics } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import { type CuttingProxy, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';
import { memoryQueue } from '../../support/memory/memory-queue.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';

let url: string;
let database: Database;

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  database = open(url);
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

const { signal } = new AbortController();
const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };
const clock = { ...systemClock, random: () => 0 };
const cursors = createCursors(createKeyring('a secret of at least 32 bytes, for tests'));
const open = (address: string) =>
  openDatabase(address, createResilience({ clock, settings: { breakerThreshold: 0 } }));

/** What outlives a process besides the database: Table Storage and the queue. */
function newStorage(isDead: () => boolean = () => false) {
  const table = memoryTableStore();
  const messages: string[] = [];
  const alive =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (isDead()) throw new Error('the process has died');
      return await call(...args);
    };
  const mortal = {
    ...table,
    insert: alive(table.insert),
    get: alive(table.get),
    replace: alive(table.replace),
    delete: alive(table.delete),
  };
  const send = async (text: string) => void messages.push(text);
  return { table, messages, mortal: { table: mortal, send: alive(send) }, whole: { table, send } };
}

type Reach = ReturnType<typeof newStorage>['whole'];

/** One process of the app, asked for a backup under a key. */
function ask(processDatabase: Database, { table, send }: Reach, key: string) {
  const jobs = createJobs({
    clock,
    logger,
    database: processDatabase,
    audit: async () => {},
    metrics: createMetrics('test'),
    cursors,
    queue: { ...memoryQueue(), send },
    poisonQueue: { ...memoryQueue(), send },
    handlers: {},
  });
  const backups = createBackups({
    clock,
    logger,
    table,
    blobs: memoryBlobStore(),
    connection: parseDatabaseUrl(url),
    databaseRole: undefined,
    cursors,
    enqueue: async (name, stop) => void (await jobs.enqueue('backup', name, stop)),
    noteAudit: async () => {},
    onFailure: async () => {},
  });
  const idempotency = createIdempotency({ database: processDatabase, clock, logger });
  const request = { caller: 'key:a', route: 'POST /api/v1/backups', key, fingerprint: Buffer.alloc(32) };
  return idempotency.once(request, signal, async (attempt) => {
    const backup = await backups.request('full', signal, attempt);
    await attempt.recordApart({ status: 202, headers: {}, body: backup });
  });
}

async function askThrough(proxy: CuttingProxy, reach: Reach, key: string): Promise<unknown> {
  const behindProxy = open(proxy.url);
  const outcome = await ask(behindProxy, reach, key).catch((error) => error);
  await behindProxy.close();
  return outcome;
}

async function letClaimEnd(key: string): Promise<void> {
  await database.transaction('let time pass', signal, (trx) =>
    sql`update idempotency_keys set claimed_until = now() - interval '1 second' where key = ${key}`.execute(
      trx,
    ),
  );
}

async function statementsOfARequest(): Promise<number> {
  await using proxy = await startCuttingProxy(url);
  expect(await askThrough(proxy, newStorage().whole, crypto.randomUUID())).toMatchObject({ status: 202 });
  return proxy.statements.length;
}

it.each([
  ['its process dies', true],
  ['its connection is cut', false],
])('a backup under a key is wanted once when %s at any statement', async (_, forGood) => {
  const count = await statementsOfARequest();
  expect(count).toBe(12);

  for (let statement = 1; statement <= count; statement++) {
    for (const when of ['before', 'after'] as const) {
      await using proxy = await startCuttingProxy(url, { statement, when, forGood });
      const { table, messages, mortal, whole } = newStorage(() => forGood && proxy.hasCut);
      const key = crypto.randomUUID();

      const broken = await askThrough(proxy, mortal, key);
      if (broken instanceof Error && forGood) await letClaimEnd(key);
      const first = await ask(database, whole, key);
      const again = await ask(database, whole, key);

      const entries = [];
      for await (const { entity } of table.query({ partitionKey: 'backup' }, { signal }))
        entries.push(entity);
      const wanted = entries.filter((entry) => entry['status'] === 'queued');
      const { name } = first.body as { name: string };
      expect(proxy.hasCut, `${when} ${statement}`).toBe(true);
      expect(first).toMatchObject({ status: 202, body: { status: 'queued' } });
      expect(again).toEqual({ ...first, replayed: true });
      expect(wanted.map((entry) => entry['name'])).toEqual([name]);
      // Called at least once, and for nothing else.
      const called = await database.read('look', signal, (db) =>
        db.selectFrom('jobs').select('id').where('subject', '=', name).execute(),
      );
      const ids = called.map(({ id }) => id);
      expect(messages.map((text) => JSON.parse(text).id).filter((id) => ids.includes(id))).not.toEqual([]);
      await expect(ask(database, whole, crypto.randomUUID())).rejects.toBeInstanceOf(AppError);
    }
  }
});
