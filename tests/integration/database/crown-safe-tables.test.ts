import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import {
  createDatabase,
  listMigrations,
  migrateDown,
  migrateToLatest,
  parseDatabaseUrl,
  repoint,
} from '../../../src/lib/database/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { contentHash } from '../../support/content-hash.ts';
import {
  createDatabase as createTestDatabase,
  dropDatabase,
  migrateDownTo,
} from '../../support/databases.ts';
import { blobSide, createTablesOnAws, moveFromAws, s3Side, tablesOnAws } from '../../support/on-aws.ts';

let url: string;
let sql: pg.Client;

beforeEach(async () => {
  url = await createTestDatabase(inject('databaseUrl'));
  sql = new pg.Client(url);
  await sql.connect();
});
afterEach(async () => {
  await sql.end();
  await dropDatabase(url);
});

const contract = '0006-drop-s3-columns';

/** What the columns of all three tables say. */
async function contents(columns: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of tablesOnAws) found.push(await contentHash(sql, table, columns));
  return found;
}

/** Every column and constraint there is. */
async function schema(): Promise<unknown[]> {
  const { rows } = await sql.query(
    `select attrelid::regclass::text as place, attname as name, format_type(atttypid, atttypmod) as definition, attnotnull::text as rest
     from pg_attribute join pg_class on pg_class.oid = attrelid
     where relnamespace = 'public'::regnamespace and relname not like 'kysely%' and attnum > 0 and not attisdropped
     union all
     select conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text from pg_constraint
     where connamespace = 'public'::regnamespace and conrelid::regclass::text not like 'kysely%'
     order by 1, 2`,
  );
  return rows;
}

async function columnsOf(table: string): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>(
    'select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped',
    [table],
  );
  return rows.map(({ name }) => name);
}

describe('tables that come from AWS', () => {
  it('keep all they hold, up and down and up again', async () => {
    await createTablesOnAws(sql, 500);
    const columns = new Map<string, string[]>();
    for (const table of tablesOnAws) columns.set(table, await columnsOf(table));
    const original = async () => {
      const found: string[] = [];
      for (const [table, names] of columns) found.push(await contentHash(sql, table, names));
      return found;
    };
    const before = await original();

    await migrateToLatest(parseDatabaseUrl(url));
    const [expanded, onS3, inAzure] = [await original(), await contents(s3Side), await contents(blobSide)];
    await migrateToLatest(parseDatabaseUrl(url), { contract: true });
    const contracted = await contents(blobSide);
    await migrateDown(parseDatabaseUrl(url));
    const afterContract = await original();
    await migrateDownTo(url, '0001-foundation');
    const undone = await original();
    await migrateToLatest(parseDatabaseUrl(url));

    expect(expanded).toEqual(before);
    expect(inAzure).toEqual(onS3);
    expect(contracted).toEqual(inAzure);
    expect(afterContract).toEqual(before);
    expect(undone).toEqual(before);
    expect(await original()).toEqual(before);
    expect(await contents(blobSide)).toEqual(inAzure);
  });

  it('give back what they said of S3 after the photos have moved, and keep what was written since', async () => {
    await createTablesOnAws(sql, 300);
    await migrateToLatest(parseDatabaseUrl(url));
    const before = await contents(s3Side);
    await repoint(parseDatabaseUrl(url), moveFromAws);
    const moved = await contents(blobSide);
    await migrateToLatest(parseDatabaseUrl(url), { contract: true });
    const contracted = await contents(blobSide);
    await sql.query(
      `insert into image_jobs (id, owner_id, blob_container, blob_name) values ('new', 'key:a', 'c', 'n')`,
    );
    await sql.query(`update image_jobs set blob_name = 'elsewhere' where id = md5('7')::uuid::text`);

    await migrateDown(parseDatabaseUrl(url));
    const { rows } = await sql.query(
      `select s3_bucket, s3_key, blob_container, blob_name from image_jobs where id in ('new', md5('7')::uuid::text) order by blob_name`,
    );
    await sql.query(`delete from image_jobs where id = 'new'`);
    await sql.query(
      `update image_jobs set s3_bucket = 'crown.safe.images', s3_key = 'uploads/7.jpg' where id = md5('7')::uuid::text`,
    );

    expect(moved).not.toEqual(before);
    expect(contracted).toEqual(moved);
    expect(rows).toEqual([
      {
        s3_bucket: 'crownsafe-images',
        s3_key: 'elsewhere',
        blob_container: 'crownsafe-images',
        blob_name: 'elsewhere',
      },
      { s3_bucket: 'c', s3_key: 'n', blob_container: 'c', blob_name: 'n' },
    ]);
    expect(await contents(s3Side)).toEqual(before);
    expect((await sql.query(`select to_regclass('crown_safe_s3_originals') as t`)).rows).toEqual([
      { t: null },
    ]);
  });

  it('keep the names of S3 until an operator says that no version needs them', async () => {
    await createTablesOnAws(sql, 10);

    const first = await migrateToLatest(parseDatabaseUrl(url));
    const states = await listMigrations(parseDatabaseUrl(url));
    const second = await migrateToLatest(parseDatabaseUrl(url));
    const asked = await migrateToLatest(parseDatabaseUrl(url), { contract: true });

    // What only adds does not wait for it, also where it is younger.
    expect(first).toEqual(states.filter(({ waitsForOperator }) => !waitsForOperator).map(({ name }) => name));
    expect(first.toSorted().at(-1)?.localeCompare(contract)).toBe(1);
    expect(states.filter(({ waitsForOperator }) => waitsForOperator)).toEqual([
      { name: contract, executedAt: undefined, waitsForOperator: true },
    ]);
    expect(second).toEqual([]);
    expect(asked).toEqual([contract]);
    expect(
      (await listMigrations(parseDatabaseUrl(url))).some(({ waitsForOperator }) => waitsForOperator),
    ).toBe(false);
    expect(await columnsOf('image_jobs')).not.toContain('s3_key');
  });

  it('are read as the tables made here are', async () => {
    await createTablesOnAws(sql, 3);
    await migrateToLatest(parseDatabaseUrl(url));
    const resilience = createResilience({ clock: systemClock });
    const database = createDatabase({
      app: { address: parseDatabaseUrl(url), maxConnections: 2 },
      direct: { address: parseDatabaseUrl(url), maxConnections: 1 },
      resilience,
    });

    const scan = await database.read('look', new AbortController().signal, (db) =>
      db.selectFrom('scan_history').selectAll().where('scan_id', '=', 'scan-2').executeTakeFirstOrThrow(),
    );
    await database.close();

    expect(scan).toMatchObject({
      id: 2,
      owner_id: '3',
      scan_timestamp: new Date('2025-01-01T00:02:00Z'),
      recall_ids: ['R1'],
      blob_url: 'https://crown.safe.images.s3.eu-north-1.amazonaws.com/scans/a%202.jpg',
    });
  });

  it('are adopted also where a version for Azure has renamed the columns before', async () => {
    await createTablesOnAws(sql, 50);
    await sql.query('alter table scan_history rename column s3_url to blob_url');
    await sql.query('alter table image_jobs rename column s3_bucket to blob_container');
    await sql.query('alter table image_jobs rename column s3_key to blob_name');
    const before = await contentHash(sql, 'image_jobs', ['blob_container', 'blob_name']);

    await migrateToLatest(parseDatabaseUrl(url));

    expect(await contentHash(sql, 'image_jobs', ['blob_container', 'blob_name'])).toBe(before);
    expect(await contents(s3Side)).toEqual(await contents(blobSide));
  });

  it.each([
    [
      'a column of another type',
      'alter table image_jobs alter column s3_key type bytea using null',
      /s3_key is of the type bytea/,
    ],
    ['no key', 'alter table scan_history drop column id', /has no column id/],
    [
      'rows that break a rule',
      'update image_jobs set file_size = -1 where file_size = 3000',
      /1 of its rows do not keep .*file_size >= 0/,
    ],
  ])('are refused with %s, and stay as they are', async (_, fault, reason) => {
    await createTablesOnAws(sql, 10);
    await sql.query(fault);
    await migrateToLatest(parseDatabaseUrl(url)).catch(() => {});
    await migrateDownTo(url, '');
    const before = await schema();

    const migrating = migrateToLatest(parseDatabaseUrl(url));

    await expect(migrating).rejects.toThrow(reason);
    await expect(migrating).rejects.toThrow(/^0002-crown-safe-tables: the table /);
    await migrateDownTo(url, '');
    expect(await schema()).toEqual(before);
  });
});

describe('tables that were made here', () => {
  it('have no names of S3, but get them on the way down, and lose nothing on the way', async () => {
    await migrateToLatest(parseDatabaseUrl(url));
    const fresh = await columnsOf('image_jobs');
    for (const table of tablesOnAws)
      await sql.query(
        `insert into ${table} (${table === 'image_jobs' ? 'id, ' : ''}owner_id, blob_url, blob_container, blob_name, blob_sas_url)
         select ${table === 'image_jobs' ? 'n::text, ' : ''}'user-' || n, 'https://a.blob.core.windows.net/c/' || n, 'c', n::text, case when n % 2 = 0 then 'sig' || n end
         from generate_series(1, 100) as n`,
      );
    const everything = ['id', 'owner_id', ...blobSide];
    const before = await contents(everything);

    await migrateDownTo(url, '0005-performance-indexes');
    const back = [await contents(everything), await contents(s3Side)];
    await migrateDownTo(url, '0002-crown-safe-tables');
    const onS3 = await contents(['id', 'owner_id', ...s3Side]);
    const ran = await migrateToLatest(parseDatabaseUrl(url));

    expect(fresh).not.toContain('s3_key');
    expect(back).toEqual([before, await contents(blobSide)]);
    expect(onS3).toEqual(before);
    expect(ran).toContain(contract);
    expect(await contents(everything)).toEqual(before);
    await migrateDownTo(url, '0001-foundation');
    expect((await sql.query(`select to_regclass('image_jobs') as t`)).rows).toEqual([{ t: null }]);
  });
});
