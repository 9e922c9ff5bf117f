import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrateToLatest, parseDatabaseUrl, repoint } from '../../../src/lib/database/index.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';
import { blobSide, connectBeside, createTablesOnAws, moveFromAws, s3Side } from '../../support/on-aws.ts';

const sides = [...s3Side, ...blobSide];

describe('a row that two versions write', () => {
  let url: string;
  let sql: pg.Client;

  beforeAll(async () => {
    url = await createDatabase(inject('databaseUrl'));
    sql = await connectBeside(url);
    await createTablesOnAws(sql, 1);
    await migrateToLatest(parseDatabaseUrl(url));
  });
  afterAll(async () => {
    await sql.end();
    await dropDatabase(url);
  });

  const oldRow = `insert into image_jobs (id, user_id, s3_bucket, s3_key, s3_presigned_url, status)
    values (gen_random_uuid(), 42, 'bucket', 'key', 'link', 'QUEUED') returning id`;
  const newRow = `insert into image_jobs (id, owner_id, blob_url, blob_container, blob_name, blob_sas_url)
    values (gen_random_uuid(), 'key:abc', 'https://a/c/n', 'c', 'n', 'sas') returning id`;

  async function write(insert: string, ...changes: string[]): Promise<Record<string, unknown>> {
    const { rows } = await sql.query<{ id: string }>(insert);
    for (const change of changes) await sql.query(`${change} where id = $1`, [rows[0]?.id]);
    const found = await sql.query(`select owner_id, user_id, ${sides} from image_jobs where id = $1`, [
      rows[0]?.id,
    ]);
    return found.rows[0];
  }
  const both = (url: string | null, container: string | null, name: string | null, link: string | null) => ({
    ...{ s3_url: url, s3_bucket: container, s3_key: name, s3_presigned_url: link },
    ...{ blob_url: url, blob_container: container, blob_name: name, blob_sas_url: link },
  });

  it.each([
    ['the one on AWS adds', oldRow, [], both(null, 'bucket', 'key', 'link')],
    [
      'the one on AWS moves',
      oldRow,
      [`update image_jobs set s3_key = 'k2'`],
      both(null, 'bucket', 'k2', 'link'),
    ],
    [
      'the one on AWS links anew',
      oldRow,
      [`update image_jobs set s3_presigned_url = 'l2'`],
      both(null, 'bucket', 'key', 'l2'),
    ],
    ['this one adds', newRow, [], both('https://a/c/n', 'c', 'n', 'sas')],
    [
      'this one moves',
      newRow,
      [`update image_jobs set blob_container = 'c2', blob_name = 'n2'`],
      both('https://a/c/n', 'c2', 'n2', 'sas'),
    ],
    [
      'this one links anew',
      newRow,
      [`update image_jobs set blob_sas_url = 's2'`],
      both('https://a/c/n', 'c', 'n', 's2'),
    ],
    [
      'this one takes a link away',
      oldRow,
      ['update image_jobs set blob_sas_url = null'],
      both(null, 'bucket', 'key', null),
    ],
    [
      'that of the other is moved',
      oldRow,
      [`update image_jobs set blob_name = 'n2'`],
      both(null, 'bucket', 'n2', 'link'),
    ],
    [
      'one empties, the other fills',
      oldRow,
      ['update image_jobs set s3_bucket = null, s3_key = null', `update image_jobs set blob_name = 'n'`],
      both(null, null, 'n', 'link'),
    ],
  ])('says the same on both sides when %s', async (_, insert, changes, expected) => {
    expect(await write(insert, ...changes)).toMatchObject(expected);
  });

  it('belongs to the same user for both, as far as both can say', async () => {
    expect(await write(oldRow)).toMatchObject({ user_id: 42, owner_id: '42' });
    expect(await write(newRow)).toMatchObject({ user_id: null, owner_id: 'key:abc' });
  });

  it('keeps both sides where both are given', async () => {
    const row = await write(oldRow, `update image_jobs set s3_key = 'there', blob_name = 'here'`);

    expect(row).toMatchObject({ s3_key: 'there', blob_name: 'here' });
  });

  it('keeps the place on S3 when only the link of a moved photo is made anew', async () => {
    const { rows } = await sql.query(oldRow.replace(`'bucket'`, `'crown.safe.images'`));
    await repoint(parseDatabaseUrl(url), moveFromAws);
    await sql.query(`update image_jobs set blob_sas_url = 'new' where id = $1`, [rows[0].id]);

    const found = await sql.query(`select ${sides} from image_jobs where id = $1`, [rows[0].id]);

    expect(found.rows[0]).toMatchObject({
      ...{ s3_bucket: 'crown.safe.images', s3_key: 'key', s3_presigned_url: 'new' },
      ...{ blob_container: 'crownsafe-images', blob_name: 'key', blob_sas_url: 'new' },
    });
  });
});

describe('repointing', () => {
  let url: string;
  let sql: pg.Client;

  beforeAll(async () => {
    url = await createDatabase(inject('databaseUrl'));
    sql = await connectBeside(url);
    await createTablesOnAws(sql, 100);
    await sql.query(`insert into scan_history (user_id, barcode, s3_url) values (1, '4', 's3://other/k?x')`);
    await migrateToLatest(parseDatabaseUrl(url));
  });
  afterAll(async () => {
    await sql.end();
    await dropDatabase(url);
  });

  it('has rows name the copies, leaves S3 and other buckets alone, and changes nothing twice', async () => {
    const changed = await repoint(parseDatabaseUrl(url), moveFromAws);
    const again = await repoint(parseDatabaseUrl(url), moveFromAws);

    const { rows } = await sql.query(
      `select s3_url, blob_url from scan_history where id in (5, 101) order by id`,
    );
    const jobs = await sql.query(
      `select s3_bucket, blob_container, blob_name from image_jobs where file_size = 5000`,
    );
    expect(changed).toBe(3 * 90);
    expect(again).toBe(0);
    expect(rows).toEqual([
      { s3_url: `${moveFromAws.s3Url}scans/a%205.jpg`, blob_url: `${moveFromAws.blobUrl}scans/a%205.jpg` },
      { s3_url: 's3://other/k?x', blob_url: 's3://other/k?x' },
    ]);
    expect(jobs.rows).toEqual([
      { s3_bucket: 'crown.safe.images', blob_container: 'crownsafe-images', blob_name: 'uploads/5.jpg' },
    ]);
  });

  it('leaves out signatures that open nothing in Azure', async () => {
    await sql.query(
      `insert into scan_history (user_id, barcode, s3_url) values (1, '5', '${moveFromAws.s3Url}signed.jpg?X-Amz-Signature=1')`,
    );

    await repoint(parseDatabaseUrl(url), moveFromAws);

    const { rows } = await sql.query(`select blob_url from scan_history where barcode = '5'`);
    expect(rows).toEqual([{ blob_url: `${moveFromAws.blobUrl}signed.jpg` }]);
  });

  it.each([
    [
      'a prefix that ends in the middle of a name',
      { s3Url: 'https://b.s3.amazonaws.com/up' },
      /address of S3/,
    ],
    ['a name that no container can have', { container: 'crown.safe.images' }, /cannot be the name/],
    [
      'the address of another container',
      { blobUrl: 'https://a.blob.core.windows.net/other/' },
      /name of the container/,
    ],
    [
      'a signature',
      { blobUrl: 'https://a.blob.core.windows.net/crownsafe-images/?sig=/crownsafe-images/' },
      /name of the container/,
    ],
  ])('refuses %s', async (_, fault, reason) => {
    await expect(repoint(parseDatabaseUrl(url), { ...moveFromAws, ...fault })).rejects.toThrow(reason);
  });
});
