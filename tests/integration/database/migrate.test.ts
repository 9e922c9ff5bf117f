import pg from 'pg';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import {
  listMigrations,
  migrateDown,
  migrateToLatest,
  parseDatabaseUrl,
} from '../../../src/lib/database/index.ts';
import { createDatabase, dropDatabase, migrateDownTo } from '../../support/databases.ts';

let url: string;
let sql: pg.Client;

beforeEach(async () => {
  url = await createDatabase(inject('databaseUrl'));
  sql = new pg.Client(url);
  await sql.connect();
});
afterEach(async () => {
  await sql.end();
  await dropDatabase(url);
});

async function executed(): Promise<string[]> {
  return (await listMigrations(parseDatabaseUrl(url)))
    .filter(({ executedAt }) => executedAt !== undefined)
    .map(({ name }) => name);
}

it('migrates up once, also when two deployments come at the same time, down and up again', async () => {
  const [first, second] = await Promise.all([
    migrateToLatest(parseDatabaseUrl(url)),
    migrateToLatest(parseDatabaseUrl(url)),
  ]);
  const ran = await executed();

  expect([...first, ...second]).toEqual(ran);
  expect(ran).toEqual((await listMigrations(parseDatabaseUrl(url))).map(({ name }) => name));
  for (const name of ran.toReversed()) expect(await migrateDown(parseDatabaseUrl(url))).toEqual([name]);
  expect(await migrateDown(parseDatabaseUrl(url))).toEqual([]);
  expect(await migrateToLatest(parseDatabaseUrl(url))).toEqual(ran);
});

it('tells which migration failed, and leaves nothing of it behind', async () => {
  await sql.query('create table jobs (id integer)');

  const migrating = migrateToLatest(parseDatabaseUrl(url));

  await expect(migrating).rejects.toThrow('0001-foundation: relation "jobs" already exists');
  expect(await executed()).toEqual([]);
  expect((await sql.query(`select to_regclass('projects') as t`)).rows).toEqual([{ t: null }]);
});

it('builds an index anew whose building broke off', async () => {
  await migrateToLatest(parseDatabaseUrl(url));
  await migrateDownTo(url, '0004-rows-from-before');
  await sql.query('create index image_jobs_queued on image_jobs (id)');
  await sql.query(`update pg_index set indisvalid = false where indexrelid = 'image_jobs_queued'::regclass`);

  await migrateToLatest(parseDatabaseUrl(url));

  const { rows } = await sql.query(
    `select indisvalid, pg_get_indexdef(indexrelid) as definition from pg_index where indexrelid = 'image_jobs_queued'::regclass`,
  );
  expect(rows).toEqual([
    { indisvalid: true, definition: expect.stringContaining('(next_attempt_at, id) WHERE') },
  ]);
});

it('waits for whoever migrates, without holding up the building of indexes', async () => {
  const other = new pg.Client(url);
  await other.connect();
  await other.query('create table probe (n integer)');
  await other.query('select pg_advisory_lock(6203911557)');

  const migrating = migrateToLatest(parseDatabaseUrl(url));
  const asked = async () => {
    const { rows } = await sql.query(
      `select query from pg_stat_activity where datname = current_database() and query like '%pg_try_advisory_lock%' and pid <> pg_backend_pid()`,
    );
    return rows.length;
  };
  await expect.poll(asked).toBeGreaterThan(0);
  await other.query('create index concurrently on probe (n)');
  const before = await executed();
  await other.end();

  expect((await migrating).length).toBeGreaterThan(1);
  expect(before).toEqual([]);
});
