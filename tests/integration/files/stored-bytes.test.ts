import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { type Database, migrateToLatest, parseDatabaseUrl, sql } from '../../../src/lib/database/index.ts';
import { createStoredBytes } from '../../../src/lib/files/stored-bytes.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { cachesOn } from '../../support/caches.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';

let url: string;
let database: Database;
const { signal } = new AbortController();

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  database = openDatabase(url, createResilience({ clock: systemClock }));
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

const storedBytes = () => createStoredBytes({ database, caches: cachesOn(systemClock).caches });

function addFile(status: string, size: number) {
  const id = randomUUID();
  return database.transaction('add file', signal, (trx) =>
    sql`insert into files
          (id, name, content_type, size, sha256, status, owner_id, container, blob_name, created_at, deleted_at)
        values (${id}, 'a.png', 'image/png', ${size}, ${'0'.repeat(64)}, ${status}, 'key:a', 'c', ${`${id}.png`}, now(),
                case when ${status}::text = 'deleted' then now() end)`.execute(trx),
  );
}

it('sums up what is kept, beyond 2^31, and nothing that is pending or deleted', async () => {
  expect(await storedBytes()(signal)).toBe(0);

  for (const size of [2_000_000_000, 2_000_000_000]) await addFile('available', size);
  await addFile('quarantined', 7);
  await addFile('pending', 100);
  await addFile('deleted', 1_000);

  expect(await storedBytes()(signal)).toBe(4_000_000_007);
});

it('asks once for the scrapes of five minutes', async () => {
  const read = storedBytes();
  const before = await read(signal);

  await addFile('available', 50);

  expect(await read(signal)).toBe(before);
  expect(await storedBytes()(signal)).toBe(before + 50);
});
