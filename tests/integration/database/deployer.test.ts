import { sql } from 'kysely';
import { expect, inject, it } from 'vitest';
import { withDeployer } from '../../../src/lib/database/deployer.ts';
import { parseDatabaseUrl } from '../../../src/lib/database/index.ts';
import { runStatements } from '../../support/own-postgres.ts';

it('fails when its connection is ended, also between two statements, and does not take the process with it', async () => {
  const url = inject('databaseUrl');

  const working = withDeployer(parseDatabaseUrl(url), async (db) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
    const isThere = () => runStatements(url, `select from pg_stat_activity where pid = ${rows[0]?.pid}`);
    await runStatements(url, `select pg_terminate_backend(${rows[0]?.pid})`);
    await expect.poll(isThere).toEqual([]);
    await sql`select 1`.execute(db);
  });

  await expect(working).rejects.toThrow(/terminat|not queryable/);
});
