import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  listMigrations,
  migrateDown,
  migrateToLatest,
  parseDatabaseUrl,
  repoint,
} from '../../../src/lib/database/index.ts';
import { contentHash } from '../../support/content-hash.ts';
import { createDatabase, dropDatabase, migrateDownTo } from '../../support/databases.ts';
import {
  blobSide,
  connectBeside,
  createTablesOnAws,
  moveFromAws,
  s3Side,
  tablesOnAws,
} from '../../support/on-aws.ts';

const sides = [...s3Side, ...blobSide];

/** Rows of all three tables whose sides do not say the same. */
async function differing(sql: pg.Client): Promise<number> {
  let count = 0;
  for (const table of tablesOnAws) {
    const { rows } = await sql.query(
      `select count(*)::int as n from ${table} where (${s3Side}) is distinct from (${blobSide})`,
    );
    count += rows[0].n;
  }
  return count;
}

describe('the move of tables from AWS', () => {
  let url: string;
  let sql: pg.Client;

  beforeEach(async () => {
    url = await createDatabase(inject('databaseUrl'));
    sql = await connectBeside(url);
  });
  afterEach(async () => {
    await sql.end();
    await dropDatabase(url);
  });

  it('lets the version on AWS and then both go on working all the time', async () => {
    await createTablesOnAws(sql, 12_000);
    const failures: unknown[] = [];
    let written = 0;
    let over = false;
    const work = async (statements: readonly string[]) => {
      const client = await connectBeside(url);
      // A connection that has ended fails at once, for ever.
      while (!over && failures.length === 0)
        for (const statement of statements) {
          await client.query(statement).catch((error) => failures.push(error));
          written += 1;
        }
      await client.end();
    };
    const onAws = work([
      `insert into image_jobs (id, user_id, s3_bucket, s3_key, status) values (gen_random_uuid(), 1, 'b', 'old', 'QUEUED')`,
      `update image_jobs set s3_key = s3_key || '+' where id = md5((1 + random() * 11999)::int::text)::uuid::text`,
      `update image_jobs set error_message = 'x' where id = md5((1 + random() * 11999)::int::text)::uuid::text`,
      `insert into scan_history (user_id, barcode, s3_url) values (1, '4', 's3://b/k')`,
    ]);

    await migrateToLatest(parseDatabaseUrl(url));
    const inAzure = work([
      `insert into image_jobs (id, owner_id, blob_container, blob_name) values (gen_random_uuid(), '2', 'c', 'new')`,
      `update image_jobs set blob_name = 'moved' where id = md5((1 + random() * 11999)::int::text)::uuid::text`,
    ]);
    const before = written;
    await expect.poll(() => written, { timeout: 20_000 }).toBeGreaterThan(before + 200);
    over = true;
    await Promise.all([onAws, inAzure]);

    expect(failures).toEqual([]);
    expect(await differing(sql)).toBe(0);
    const { rows } = await sql.query(`select count(*) as n from image_jobs where owner_id is null`);
    expect(rows[0].n).toBe('0');
  });

  it('goes on where it was killed, and keeps nobody from reading and adding rows meanwhile', async () => {
    await createTablesOnAws(sql, 300);
    const filled = async (table: string) => {
      const { rows } = await sql.query(
        `select count(*)::int as n from ${table} where blob_url is not null or blob_name is not null`,
      );
      return rows[0].n;
    };
    // Changes of image_jobs wait for as long as this connection holds the lock.
    await sql.query(`
      create function wait() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock_shared(42); return new; end $$;
      create trigger a_wait before update on image_jobs for each row execute function wait();
      select pg_advisory_lock(42)`);
    const waiting = async () => {
      const { rows } = await sql.query(
        `select pid from pg_locks where locktype = 'advisory' and objid = 42 and not granted`,
      );
      return rows[0]?.pid;
    };

    const killed = migrateToLatest(parseDatabaseUrl(url)).catch((error) => error);
    await expect.poll(waiting).toBeDefined();
    await sql.query(`insert into image_jobs (id, user_id, s3_key) values ('meanwhile', 1, 'k')`);
    const readable = await sql.query(`select blob_name from image_jobs where id = 'meanwhile'`);
    await sql.query('select pg_terminate_backend($1)', [await waiting()]);
    const error = await killed;
    const midway = [await filled('scan_history'), await filled('image_jobs')];
    await sql.query('select pg_advisory_unlock_all()');
    const ran = await migrateToLatest(parseDatabaseUrl(url));

    expect(readable.rows).toEqual([{ blob_name: 'k' }]);
    expect(error).toBeInstanceOf(Error);
    expect(midway).toEqual([270, 1]);
    expect(ran.slice(0, 2)).toEqual(['0004-rows-from-before', '0005-performance-indexes']);
    expect(await differing(sql)).toBe(0);
    expect(await filled('image_jobs')).toBe(271);
  });

  it('drops the names of S3 and brings them back while this version works, also after a first try that failed', async () => {
    await createTablesOnAws(sql, 3_000);
    await migrateToLatest(parseDatabaseUrl(url));
    await repoint(parseDatabaseUrl(url), moveFromAws);
    await sql.query(`create table before as select id, ${sides} from image_jobs`);
    const failures: unknown[] = [];
    let over = false;
    const working = connectBeside(url).then(async (client) => {
      for (let n = 1; !over && failures.length === 0; n = (n % 3_000) + 1) {
        const id = `md5('${n}')::uuid::text`;
        const change = ['error_message', 'blob_name', 'blob_sas_url'][n % 3];
        const text = `update image_jobs set ${change} = 'changed' where id = ${id}`;
        await client.query(text).catch((error) => failures.push(error));
      }
      await client.end();
    });
    const reader = await connectBeside(url);
    await reader.query('begin; select from image_jobs');

    const failed = await migrateToLatest(parseDatabaseUrl(url), { contract: true }).catch((error) => error);
    await reader.query('commit');
    await reader.end();
    await migrateToLatest(parseDatabaseUrl(url), { contract: true });
    await migrateDown(parseDatabaseUrl(url));
    over = true;
    await working;

    const { rows } = await sql.query(`
      select count(*)::int as all,
        count(*) filter (where case when now.blob_name = 'changed' then now.s3_key = 'changed'
          else (now.s3_bucket, now.s3_key) is not distinct from (before.s3_bucket, before.s3_key) end)::int as places,
        count(*) filter (where now.s3_presigned_url is not distinct from
          case when now.blob_sas_url = 'changed' then 'changed' else before.s3_presigned_url end)::int as links,
        count(*) filter (where now.blob_name = 'changed')::int > 100 as busy
      from image_jobs as now join before using (id)`);
    expect(failed.message).toBe('0006-drop-s3-columns: canceling statement due to lock timeout');
    expect(failures).toEqual([]);
    expect(rows).toEqual([{ all: 3_000, places: 3_000, links: 3_000, busy: true }]);
  });

  it('misses no row that moves within its table while lots of it are read', async () => {
    await createTablesOnAws(sql, 12_000);
    await migrateToLatest(parseDatabaseUrl(url));
    await repoint(parseDatabaseUrl(url), moveFromAws);
    const before = await contentHash(sql, 'image_jobs', ['id', ...sides]);
    const { rows } = await sql.query(
      'select id from image_jobs where blob_name is not null order by ctid limit 1',
    );
    const firstRow = `'${rows[0].id}'`;
    /** Has rows of the last lot go to new pages as soon as the first lot is stuck. */
    const moveRowsOnce = async (stuck: string) => {
      const found = () =>
        sql.query(
          `select from pg_stat_activity where wait_event_type = 'Lock' and query like $1 and datname = current_database()`,
          [`%${stuck}%`],
        );
      await expect.poll(async () => (await found()).rowCount, { timeout: 20_000 }).toBe(1);
      const { rowCount } = await sql.query(
        `update image_jobs set error_message = (select string_agg(md5(random()::text), '') from generate_series(1, 45))
         where ctid = any (array(select ctid from image_jobs where blob_name is not null order by ctid desc limit 2000))`,
      );
      expect(rowCount).toBe(2_000);
    };
    const holder = await connectBeside(url);

    await holder.query(`begin; select from image_jobs where id = ${firstRow} for update`);
    const contracting = migrateToLatest(parseDatabaseUrl(url), { contract: true });
    await moveRowsOnce('for share');
    await holder.query('commit');
    await contracting;
    await holder.query(`
      create function wait() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock_shared(43); return new; end $$;
      create trigger a_wait before update on image_jobs for each row when (old.id = ${firstRow}) execute function wait();
      select pg_advisory_lock(43)`);
    const comingBack = migrateDown(parseDatabaseUrl(url));
    await moveRowsOnce('as kept');
    await holder.end();
    await comingBack;

    expect(await contentHash(sql, 'image_jobs', ['id', ...sides])).toBe(before);
  });

  it('cannot be undone below what broke off halfway, until that has been finished', async () => {
    await createTablesOnAws(sql, 50);
    await migrateToLatest(parseDatabaseUrl(url));
    const before = await contentHash(sql, 'scan_history', ['s3_url', 'blob_url']);
    const reader = await connectBeside(url);
    await reader.query('begin; select from image_jobs');
    await migrateToLatest(parseDatabaseUrl(url), { contract: true }).catch(() => {});
    await reader.query('commit');
    await reader.end();

    await migrateDownTo(url, '0003-blob-columns');
    const refused = await migrateDown(parseDatabaseUrl(url)).catch((error) => error);
    await migrateToLatest(parseDatabaseUrl(url), { contract: true });
    await migrateDownTo(url, '0003-blob-columns');

    expect(refused.message).toMatch(/^0003-blob-columns: scan_history has lost the names of S3 already/);
    expect(await contentHash(sql, 'scan_history', ['s3_url', 'blob_url'])).toBe(before);
    expect(await migrateDown(parseDatabaseUrl(url))).toEqual(['0003-blob-columns']);
  });

  it('gives up soon where a table is in use for long, changes nothing then, and says so', async () => {
    await createTablesOnAws(sql, 10);
    const reader = await connectBeside(url);
    await reader.query('begin; select from image_jobs');

    const failure = await migrateToLatest(parseDatabaseUrl(url)).catch((error) => error);
    const ran = (await listMigrations(parseDatabaseUrl(url)))
      .filter(({ executedAt }) => executedAt)
      .map(({ name }) => name);
    await reader.query('commit');
    await reader.end();

    expect(failure.message).toBe('0002-crown-safe-tables: canceling statement due to lock timeout');
    expect(ran).toEqual(['0001-foundation']);
    expect(await migrateToLatest(parseDatabaseUrl(url))).toContain('0005-performance-indexes');
  });
});
