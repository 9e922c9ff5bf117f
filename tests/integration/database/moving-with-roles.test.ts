import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  applyRoles,
  migrateDown,
  migrateToLatest,
  parseDatabaseUrl,
  repoint,
} from '../../../src/lib/database/index.ts';
import { statementsOfGuide } from '../../support/guide.ts';
import { createTablesOnAws, moveFromAws } from '../../support/on-aws.ts';
import { type OwnPostgres, runStatements, startOwnPostgres, urlWith } from '../../support/own-postgres.ts';

/* Roles are the server's, so this test has a server of its own. */

let server: OwnPostgres;

beforeAll(async () => {
  server = await startOwnPostgres();
});
afterAll(() => server.stop());

it('moves tables of another role, and both versions write with no more rights than they need', async () => {
  const { url, appUrl } = server;
  const address = parseDatabaseUrl(url);
  await runStatements(
    url,
    `create role crownsafe_on_aws login password 'aws'`,
    'grant create on schema public to crownsafe_on_aws',
  );
  const awsUrl = urlWith(url, { user: 'crownsafe_on_aws', password: 'aws' });
  const owner = new pg.Client(awsUrl);
  await owner.connect();
  await createTablesOnAws(owner, 100);
  await owner.end();
  const [rights = ''] = await statementsOfGuide();
  const place = `select s3_key, blob_name from image_jobs where id in ('aws', 'here') order by id`;

  await applyRoles(address, { login: 'crownsafe' });
  await runStatements(url, rights);
  await migrateToLatest(address);
  await runStatements(awsUrl, `insert into image_jobs (id, user_id, s3_key) values ('aws', 1, 'k')`);
  await runStatements(appUrl, `insert into image_jobs (id, owner_id, blob_name) values ('here', '1', 'n')`);
  const sideBySide = await runStatements(awsUrl, place);
  await repoint(address, moveFromAws);
  const reader = new pg.Client(url);
  await reader.connect();
  await reader.query('begin; select from image_jobs');
  const brokenOff = await migrateToLatest(address, { contract: true }).catch((error) => error.message);
  await reader.end();
  const asApp = (text: string) => runStatements(appUrl, text).catch((error) => error.message);
  const refusals = [
    await asApp('delete from crown_safe_s3_originals'),
    await asApp(
      'create temp table own (id text); create trigger t after insert on own for each row execute function public.crown_safe_original()',
    ),
  ];
  await runStatements(awsUrl, `update image_jobs set error_message = 'noted' where id = 'aws'`);
  await migrateToLatest(address, { contract: true });
  const tooLate = await repoint(address, moveFromAws).catch((error) => error.message);
  const another = await migrateDown(address, '0005-performance-indexes').catch((error) => error.message);
  await runStatements(appUrl, `update image_jobs set blob_name = 'n2' where id = 'here'`);
  await migrateDown(address);
  await runStatements(awsUrl, `update image_jobs set s3_key = 'k2' where id = 'aws'`);

  expect(brokenOff).toContain('lock timeout');
  expect(refusals).toEqual([
    'permission denied for table crown_safe_s3_originals',
    'permission denied for function public.crown_safe_original',
  ]);
  expect(tooLate).toContain('has no side of S3 any more');
  expect(another).toBe(
    '0005-performance-indexes is not undone: the newest that has run is 0006-drop-s3-columns',
  );
  expect(sideBySide).toEqual([
    { s3_key: 'k', blob_name: 'k' },
    { s3_key: 'n', blob_name: 'n' },
  ]);
  expect(await runStatements(appUrl, place)).toEqual([
    { s3_key: 'k2', blob_name: 'k2' },
    { s3_key: 'n2', blob_name: 'n2' },
  ]);
});
