import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createKeyRotation, type EncryptedColumn } from '../../../src/lib/access/index.ts';
import { systemClock } from '../../../src/lib/core/index.ts';
import { type Database, migrateToLatest, parseDatabaseUrl } from '../../../src/lib/database/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createKeyring, newApiKey } from '../../../src/lib/security/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { runStatements } from '../../support/own-postgres.ts';

const oldKeyring = createKeyring('a'.repeat(32));
const keyring = createKeyring(() => ({ current: 'b'.repeat(32), previous: 'a'.repeat(32) }));
const { signal } = new AbortController();
let url: string;
let database: Database;

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  await runStatements(url, 'create table visits (id int primary key, address bytea)');
  database = openDatabase(url, createResilience({ clock: systemClock }));
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});
beforeEach(async () => {
  await runStatements(url, 'truncate visits', 'truncate api_keys');
});

const visits: EncryptedColumn = {
  table: 'visits',
  column: 'address',
  reencrypt: () => Promise.reject(new Error('is not asked')),
};

const insertVisit = (id: number, bytes: Buffer | null) =>
  runStatements(
    url,
    `insert into visits values (${id}, ${bytes ? `'\\x${bytes.toString('hex')}'` : 'null'})`,
  );

describe('what still needs the previous secret', () => {
  it('is counted by the key that each value names', async () => {
    await insertVisit(1, oldKeyring.encrypt('192.0.2.1', 'visits.address'));
    await insertVisit(2, oldKeyring.encrypt('192.0.2.2', 'visits.address'));
    await insertVisit(3, keyring.encrypt('192.0.2.3', 'visits.address'));
    await insertVisit(4, null);
    await insertVisit(5, createKeyring('c'.repeat(32)).encrypt('192.0.2.5', 'visits.address'));

    const state = await createKeyRotation({ database, keyring }).inspect(visits, signal);

    expect(state).toEqual({ total: 4, outdated: 3 });
  });

  it('is nothing in an empty table', async () => {
    const state = await createKeyRotation({ database, keyring }).inspect(visits, signal);

    expect(state).toEqual({ total: 0, outdated: 0 });
  });

  it('are API keys that work and were not used since, not those that are used, new, revoked or expired', async () => {
    const insertKey = (name: string, columns: Readonly<Record<string, string>> = {}) => {
      const { id, hash } = newApiKey(oldKeyring);
      const extra = Object.entries({ created_at: '2026-01-01T00:00:00Z', ...columns });
      return runStatements(
        url,
        `insert into api_keys (id, name, hash, scopes, ${extra.map(([column]) => column).join()})
         values ('${id}', '${name}', '\\x${hash.toString('hex')}', '{}', ${extra.map(([, value]) => `'${value}'`).join()})`,
      );
    };
    await insertKey('used before', { last_used_at: '2026-02-28T23:59:59Z' });
    await insertKey('never used', { created_at: '2026-01-02T00:00:00Z' });
    await insertKey('used since', { last_used_at: '2026-03-01T00:00:00Z' });
    await insertKey('made since', { created_at: '2026-03-01T00:00:01Z' });
    await insertKey('revoked', { revoked_at: '2026-01-02T00:00:00Z' });
    await insertKey('expired', { expires_at: '2026-01-02T00:00:00Z' });

    const rotation = createKeyRotation({ database, keyring });
    const unused = await rotation.unusedApiKeys(new Date('2026-03-01T00:00:00Z'), signal);

    expect(unused.map(({ name }) => name)).toEqual(['used before', 'never used']);
  });
});
