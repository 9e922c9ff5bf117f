import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import {
  applyRoles,
  migrateToLatest,
  parseDatabaseUrl,
  reviewAccess,
} from '../../../src/lib/database/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { openDatabase } from '../../support/databases.ts';
import { type OwnPostgres, runStatements, startOwnPostgres, urlWith } from '../../support/own-postgres.ts';

/* Roles are the server's, so these tests have a server of their own. */

const { signal } = new AbortController();
const now = Date.parse('2026-06-01');
const password = 'Vb7xQ2mKp9TfRw4Z';
let server: OwnPostgres;

beforeAll(async () => {
  server = await startOwnPostgres();
  await applyRoles(parseDatabaseUrl(server.url), { login: 'crownsafe' });
  await migrateToLatest(parseDatabaseUrl(server.url));
});
afterAll(() => server.stop());

/** What an app that logs in there is told. */
async function findingsOf(url: string, at = now): Promise<[id: string, level: string][]> {
  const database = openDatabase(url, createResilience({ clock: systemClock }));
  try {
    return (await reviewAccess(database, at, signal)).map(({ id, level }) => [id, level]);
  } finally {
    await database.close();
  }
}

/** A login for one test. */
async function loginAs(options: string, ...statements: string[]): Promise<string> {
  await runStatements(
    server.url,
    `create role somebody login password '${password}' ${options}`,
    ...statements,
  );
  onTestFinished(async () => {
    await runStatements(server.url, 'drop owned by somebody cascade', 'drop role somebody');
  });
  return urlWith(server.url, { user: 'somebody', password });
}

describe('the review of a login', () => {
  it('finds nothing where the roles were applied', async () => {
    expect(await findingsOf(server.appUrl)).toEqual([]);
  });

  it('finds a superuser, who owns everything', async () => {
    expect(await findingsOf(server.url)).toEqual([
      ['database_superuser', 'critical'],
      ['database_owner', 'high'],
    ]);
  });

  it.each(['createrole', 'createdb', 'replication', 'bypassrls'])('finds the power %s', async (power) => {
    const url = await loginAs(power);

    expect(await findingsOf(url)).toEqual([['database_superuser', 'critical']]);
  });

  it.each(['superuser', 'createrole'])('finds who may act as one with the power %s', async (power) => {
    await runStatements(server.url, `create role mighty ${power}`);
    onTestFinished(async () => {
      await runStatements(server.url, 'drop role mighty');
    });
    const url = await loginAs('noinherit', 'grant mighty to somebody');

    expect(await findingsOf(url)).toContainEqual(['database_superuser', 'critical']);
  });

  it.each(['pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files'])(
    'finds who may do what %s may',
    async (role) => {
      const url = await loginAs('', `grant ${role} to somebody`);

      expect(await findingsOf(url)).toEqual([['database_superuser', 'critical']]);
    },
  );

  it('finds one who owns a table', async () => {
    const url = await loginAs(
      '',
      'create table public.theirs ()',
      'alter table public.theirs owner to somebody',
    );

    expect(await findingsOf(url)).toEqual([['database_owner', 'high']]);
  });

  it('finds one who may act as the owner, also where rights are not inherited', async () => {
    const url = await loginAs('noinherit', 'grant schema_owner to somebody');

    expect(await findingsOf(url)).toEqual([['database_owner', 'high']]);
  });

  it('finds a schema where everybody may put things', async () => {
    await runStatements(server.url, 'grant create on schema public to public');
    onTestFinished(async () => {
      await runStatements(server.url, 'revoke create on schema public from public');
    });

    expect(await findingsOf(server.appUrl)).toEqual([['schema_open_to_all', 'medium']]);
  });

  it('finds a server that gets no more fixes', async () => {
    expect(await findingsOf(server.appUrl, Date.parse('2031-01-01'))).toEqual([
      ['database_end_of_life', 'high'],
    ]);
  });
});
