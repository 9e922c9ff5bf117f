import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createBackups } from '../../../src/lib/backup/index.ts';
import { systemClock } from '../../../src/lib/core/index.ts';
import { applyRoles, migrateToLatest, parseDatabaseUrl } from '../../../src/lib/database/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { createLogger } from '../../../src/lib/observability/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';
import { type OwnPostgres, runStatements, startOwnPostgres, urlWith } from '../../support/own-postgres.ts';
import { openStorage } from '../storage/open-storage.ts';
import { connectionTo, dumpText, fillLarge, runSql } from './sources.ts';

/* The login of the app may read nothing itself; a dump acts as the role `backup`. */

const { signal } = new AbortController();
let server: OwnPostgres;

beforeAll(async () => {
  server = await startOwnPostgres();
  const address = parseDatabaseUrl(server.url);
  await applyRoles(address, { login: 'crownsafe' });
  await migrateToLatest(address);
  // Only `backup` may read it.
  await runStatements(server.url, 'create schema other', 'create table other.kept ()');
});
afterAll(() => server.stop());

/** A database with one of nearly everything, as its owner and as the login of the app. */
async function makeRichDatabase() {
  const url = await createDatabase(server.url);
  onTestFinished(() => dropDatabase(url));
  await runSql(url, readFileSync(new URL('../../support/rich.sql', import.meta.url), 'utf8'));
  return { url, appUrl: urlWith(server.appUrl, { database: new URL(url).pathname.slice(1) }) };
}

function openBackups(databaseRole: string) {
  const { storage } = openStorage();
  const id = randomUUID().slice(0, 8);
  const lines: string[] = [];
  return {
    lines,
    backups: createBackups({
      clock: systemClock,
      logger: createLogger({ clock: systemClock, level: 'info', write: (line) => lines.push(line) }),
      connection: connectionTo(server.appUrl),
      databaseRole,
      blobs: storage.blobs(`backups-${id}`, 'backup-blob'),
      table: storage.table(`backups${id}`),
      cursors: createCursors(createKeyring('a secret of at least 32 bytes, for tests')),
      enqueue: async () => {},
      noteAudit: async () => {},
      onFailure: async () => {},
    }),
  };
}

describe('a dump that acts as backup', () => {
  it('is the same as the one of the owner', async () => {
    const { url, appUrl } = await makeRichDatabase();
    await runSql(url, 'alter table app.users disable row level security; select lo_unlink(16)');

    const dump = await dumpText(connectionTo(appUrl), '--role=backup');

    expect(dump).toBe(await dumpText(connectionTo(url)));
    expect(dump).toContain('COPY app.users');
  });

  it('fails where rows are hidden by policies, and leaves none out in silence', async () => {
    const { url, appUrl } = await makeRichDatabase();
    await runSql(url, 'select lo_unlink(16)');

    const dump = dumpText(connectionTo(appUrl), '--role=backup');

    await expect(dump).rejects.toThrow(
      'query would be affected by row-level security policy for table "users"',
    );
  });

  it('is not bound by the time limits of the login', async () => {
    const url = await createDatabase(server.url);
    onTestFinished(() => dropDatabase(url));
    await fillLarge(url);
    const database = new URL(url).pathname.slice(1);
    for (const limit of ['statement_timeout', 'idle_in_transaction_session_timeout']) {
      await runStatements(server.url, `alter role crownsafe in database ${database} set ${limit} = '30ms'`);
    }
    const appUrl = urlWith(server.appUrl, { database });

    const dump = await dumpText(connectionTo(appUrl), '--role=backup');

    expect(dump.length).toBeGreaterThan(30 * 1024 * 1024);
    await expect(runStatements(appUrl, 'select pg_sleep(1)')).rejects.toMatchObject({ code: '57014' });
  });
});

describe('a full backup', () => {
  it('acts as the role it is given', async () => {
    const { backups } = openBackups('backup');
    const { name } = await backups.request('full', signal);

    await backups.run(name, signal);

    const { status, tables } = await backups.get(name, signal);
    expect(status).toBe('stored');
    expect(tables.map((table) => table.name)).toEqual(expect.arrayContaining(['public.files', 'other.kept']));
  });

  it.each(['schema_owner', 'nobody'])(
    'tells in the catalogue that the login may not act as %s',
    async (role) => {
      const { backups, lines } = openBackups(role);
      const { name } = await backups.request('full', signal);

      await expect(backups.run(name, signal)).rejects.toMatchObject({ code: 'role_refused' });

      expect((await backups.get(name, signal)).error).toEqual({
        code: 'role_refused',
        message:
          'The login of the app may not act as the role for dumps (BACKUP_DATABASE_ROLE); crownsafe roles apply lets it',
      });
      expect(lines.join('')).toMatch(/permission denied to set role|does not exist/);
    },
  );
});
