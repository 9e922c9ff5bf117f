import { createReadStream, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { runCommand } from '../local/command.ts';
import { createAuditTrail } from '../src/lib/audit/index.ts';
import { systemClock } from '../src/lib/core/index.ts';
import { type Database, migrateToLatest, parseDatabaseUrl, sql } from '../src/lib/database/index.ts';
import { createCursors } from '../src/lib/http/index.ts';
import { runInContext } from '../src/lib/observability/index.ts';
import { createResilience } from '../src/lib/resilience/index.ts';
import { createKeyring } from '../src/lib/security/index.ts';
import type { BlobStore } from '../src/lib/storage/index.ts';
import { openDatabase } from '../tests/support/databases.ts';
import { describeMachine, median, withConnection, withPostgres } from './scratch-postgres.ts';

/* `npm run bench:audit`: what a row of the audit trail costs, and how long verifying many takes, in which memory. */

const rows = Number(process.argv[2] ?? 1_000_000);
const rowsAtOnce = 1_000;
const runs = 400;
const { signal } = new AbortController();
const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };
const keyring = createKeyring('a secret of at least 32 bytes, for benchmarks');
const entry = { action: 'link.issue', object: { type: 'file', id: '11111111-1111-4111-8111-111111111111' } };
const after = { expires_at: '2026-01-02T00:00:00.000Z' };
const context = {
  correlationId: 'benchmark-of-the-trail',
  functionName: 'bench',
  requestId: 'bench',
  userId: 'key:0123456789abcdef',
  clientAddress: '203.0.113.7',
  write: undefined,
};

await runCommand(() =>
  withPostgres(async (url) => {
    await migrateToLatest(parseDatabaseUrl(url));
    console.log(`${await withConnection(url, describeMachine)}\n`);
    const folder = mkdtempSync(join(tmpdir(), 'audit-'));
    const database = openDatabase(url, createResilience({ clock: systemClock }));
    const trail = createAuditTrail({
      clock: systemClock,
      logger,
      database,
      keyring,
      cursors: createCursors(keyring),
      archive: folderStore(folder),
    });
    try {
      await runInContext(context, async () => {
        await oneRow(database, trail);
        await many(trail);
      });
    } finally {
      await database.close();
      await rm(folder, { recursive: true });
    }
  }),
);

type Trail = ReturnType<typeof createAuditTrail>;

async function oneRow(database: Database, trail: Trail): Promise<void> {
  const read = () => database.read('read', signal, (db) => sql`select 1`.execute(db));
  const change = (work: Parameters<typeof database.transaction>[2]) => async () =>
    void (await database.transaction('change', signal, work));
  const update = change((trx) =>
    sql`insert into projects (id, name) values (gen_random_uuid(), 'x')`.execute(trx),
  );
  const both = change(async (trx) => {
    await sql`insert into projects (id, name) values (gen_random_uuid(), 'x')`.execute(trx);
    await trail.record(trx, { ...entry, after });
  });
  const figures = {
    'a read': read,
    'a change': update,
    'a change with its row': both,
    'a row in a transaction of its own': () => trail.note([{ ...entry, after }], signal),
    '100 rows in one': () => trail.note(new Array(100).fill({ ...entry, after }), signal),
  };
  for (const [name, work] of Object.entries(figures)) console.log(`${name}: ${await medianMs(work)} ms`);
}

async function medianMs(work: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return median(times.slice(runs / 10)).toFixed(2);
}

async function many(trail: Trail): Promise<void> {
  const batch = Array.from({ length: rowsAtOnce }, () => ({ ...entry, after }));
  const timed = async (name: string, work: () => Promise<unknown>) => {
    const startedAt = performance.now();
    const result = await work();
    const seconds = (performance.now() - startedAt) / 1000;
    console.log(`${name}: ${seconds.toFixed(1)} s`);
    return result;
  };
  await timed(`adding ${rows.toLocaleString('en')} rows`, async () => {
    for (let row = 0; row < rows; row += rowsAtOnce) await trail.note(batch, signal);
  });
  await timed('sealing', () => trail.seal(signal));
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 100);
  console.log(await timed('verifying', () => trail.verify(1, signal)));
  clearInterval(watch);
  console.log(
    `memory while verifying: ${Math.round((most - before) / 2 ** 20)} MiB more than the ${Math.round(before / 2 ** 20)} MiB before`,
  );
}

/** As much of an archive as the trail uses, in a folder. */
function folderStore(folder: string): BlobStore {
  const store: Pick<BlobStore, 'upload' | 'download' | 'list'> = {
    async upload(name, source) {
      writeFileSync(join(folder, name), source as Uint8Array, { flag: 'wx' });
      return propertiesOf(name);
    },
    download: async (name) => ({
      body: createReadStream(join(folder, name)),
      properties: propertiesOf(name),
    }),
    async *list() {
      for (const name of readdirSync(folder).sort()) yield propertiesOf(name);
    },
  };
  const propertiesOf = (name: string) => {
    const { size: sizeBytes, mtimeMs: lastModified } = statSync(join(folder, name));
    return { name, sizeBytes, lastModified, contentType: 'application/json', etag: '"1"', metadata: {} };
  };
  return store as BlobStore;
}
