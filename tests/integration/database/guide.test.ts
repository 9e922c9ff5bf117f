import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { migrateToLatest, parseDatabaseUrl, repoint } from '../../../src/lib/database/index.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';
import { statementsOfGuide } from '../../support/guide.ts';
import { createTablesOnAws, moveFromAws } from '../../support/on-aws.ts';

it('gives SQL that lets the version on AWS go on, and that tells whether it and its photos have gone', async () => {
  const url = await createDatabase(inject('databaseUrl'));
  const sql = new pg.Client(url);
  await sql.connect();
  const [rights = '', photos = '', sessions = ''] = await statementsOfGuide();
  await createTablesOnAws(sql, 100);
  await migrateToLatest(parseDatabaseUrl(url));

  const before = await sql.query(photos);
  await repoint(parseDatabaseUrl(url), moveFromAws);
  const after = await sql.query(photos);
  await sql.query('begin; create role crownsafe_on_aws');
  await sql.query(rights);
  await sql.query('set role crownsafe_on_aws');
  await sql.query(`insert into scan_history (user_id, barcode, s3_url) values (1, '4', 's3://b/k')`);
  const written = await sql.query(`select blob_url from scan_history where barcode = '4'`);
  await sql.query('rollback');

  expect(before.rows).toEqual([{ elsewhere: '180', at_s3: '90' }]);
  expect(after.rows).toEqual([{ elsewhere: '0', at_s3: '0' }]);
  expect(written.rows).toEqual([{ blob_url: 's3://b/k' }]);
  expect((await sql.query(sessions)).rows).toEqual([{ count: '0' }]);
  await sql.end();
  await dropDatabase(url);
});
