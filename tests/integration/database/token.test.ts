import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dumpDatabase } from '../../../src/lib/backup/engine/dump-database.ts';
import { restoreDump } from '../../../src/lib/backup/index.ts';
import { systemClock } from '../../../src/lib/core/index.ts';
import {
  createDatabase,
  type Database,
  type DatabaseAddress,
  migrateToLatest,
  openSqlSession,
  parseDatabaseUrl,
  sql,
} from '../../../src/lib/database/index.ts';
import { createPool, lease } from '../../../src/lib/database/pool.ts';
import { createResilience, type ResilienceSettings } from '../../../src/lib/resilience/index.ts';
import { createAzureIdentity, databaseToken } from '../../../src/lib/security/index.ts';
import {
  type IdentityEndpoint,
  refuseToken,
  startIdentityEndpoint,
} from '../../support/identity-endpoint.ts';
import { type OwnPostgres, runStatements, startOwnPostgres, urlWith } from '../../support/own-postgres.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';
import { switchTls, writeServerFile } from '../../support/server-tls.ts';

/*
 * The password of a role stands for the token that Azure would accept at the moment: what is logged in with is new for
 * each connection, and an old one is refused.
 */

const { key, certificate } = makeSelfSigned();
const never = () => new AbortController().signal;
let server: OwnPostgres;
/** What the identity gives out, and how often it was asked. */
const identity = { token: '', asked: 0 };
let source: () => Promise<string>;
let endpoint: IdentityEndpoint;

beforeAll(async () => {
  [server, endpoint] = await Promise.all([startOwnPostgres(), startIdentityEndpoint()]);
  for (const [name, value] of Object.entries(endpoint.environment)) vi.stubEnv(name, value);
  await writeServerFile(server.url, 'server.key', key);
  await writeServerFile(server.url, 'server.crt', certificate);
  await switchTls(server.url, 'on');
  await runStatements(
    server.url,
    'create role identity login',
    'create database tokens owner identity',
    'create role plain login',
    'grant identity to plain',
  );
  // Azure asks for a token this way, and not by SCRAM.
  const rules = await runStatements<{ line: string }>(
    server.url,
    "select unnest(string_to_array(pg_read_file('pg_hba.conf'), E'\\n')) as line",
  );
  const lines = ['hostssl all plain 127.0.0.1/32 password', ...rules.map(({ line }) => line)];
  await writeServerFile(server.url, 'pg_hba.conf', lines.join('\n'));
  await runStatements(server.url, 'select pg_reload_conf()');
});
afterAll(async () => {
  await server.stop();
  await endpoint[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await rotate();
  identity.asked = 0;
  source = async () => {
    identity.asked += 1;
    return identity.token;
  };
});

/** From now on only a new token is accepted. */
async function rotate(): Promise<void> {
  // As long as tokens with many claims are.
  identity.token = randomBytes(3_072).toString('base64url');
  for (const role of ['identity', 'plain']) {
    await runStatements(server.url, `alter role ${role} password '${identity.token}'`);
  }
}

/** The address as a URL without a password gives it; the certificate is one that only this test vouches for. */
function addressOf(user = 'identity', database = 'tokens'): DatabaseAddress {
  const url = urlWith(server.url, { user, password: '', database });
  return {
    ...parseDatabaseUrl(`${url}?sslmode=verify-full`, () => source()),
    tls: { rejectUnauthorized: true, ca: certificate },
  };
}

function open(settings: Partial<ResilienceSettings> = {}, user = 'identity'): Database & AsyncDisposable {
  const clock = { ...systemClock, random: () => 0 };
  const pool = { address: addressOf(user), maxConnections: 2 };
  const database = createDatabase({
    app: pool,
    direct: pool,
    resilience: createResilience({ clock, settings }),
  });
  return { ...database, [Symbol.asyncDispose]: () => database.close() };
}

const whoAmI = (database: Database) =>
  database.read('ask', never(), async (db) => {
    const { rows } = await sql<{ by: string; isEncrypted: boolean }>`
      select system_user as by, ssl as "isEncrypted" from pg_stat_ssl where pid = pg_backend_pid()`.execute(
      db,
    );
    return rows[0];
  });

describe.each([
  ['scram-sha-256', 'identity'],
  ['password', 'plain'],
])('a token of 4 kB, asked for by %s,', (method, user) => {
  it('opens pools, sessions, migrations and dumps', async () => {
    const address = addressOf(user);
    await using database = open({}, user);

    await migrateToLatest(address);
    const who = await whoAmI(database);
    await using snapshot = await database.openSnapshot(never());
    const dump = await text(
      dumpDatabase({ connection: address, args: [], clock: systemClock, signal: never() }),
    );
    await using session = await openSqlSession(address);
    const restored = await restoreDump(session, Readable.from([Buffer.from('select 1;\n')]), {
      signal: never(),
    });

    expect(identity.token.length).toBeGreaterThan(4_000);
    expect(who).toEqual({ by: `${method}:${user}`, isEncrypted: true });
    expect(snapshot.id).not.toBe('');
    expect(dump).toContain('CREATE TABLE public.files');
    expect(restored.tables).toEqual([]);
    expect(identity.asked).toBe(5);
  });
});

describe('a new token', () => {
  it('opens new connections, while those that are open stay', async () => {
    await using database = open();
    await using first = await database.openSnapshot(never());

    await rotate();
    await using second = await database.openSnapshot(never());

    const { rows } = await sql`select 1 as one`.execute(first.db);
    expect(rows).toEqual([{ one: 1 }]);
    expect(second.id).not.toBe('');
    expect(identity.asked).toBe(2);
  });

  it('is needed: the old one opens nothing', async () => {
    const old = identity.token;
    source = async () => old;
    await rotate();

    await expect(openSqlSession(addressOf())).rejects.toMatchObject({ code: '28P01' });
  });
});

describe('a token', () => {
  it('is not to be seen on a pool, a connection or an address', async () => {
    const address = addressOf();
    const pool = createPool(address, 1);
    const held = await lease(pool, never());

    const seen = [address, pool, held.client, new pg.Client(server.url)].map((value) =>
      inspect(value, { depth: 20, maxStringLength: 10_000 }),
    );

    held.release();
    await pool.end();
    expect(identity.asked).toBe(1);
    for (const shown of seen) expect(shown).not.toContain(identity.token);
  });

  it('is not asked for without TLS', async () => {
    const url = urlWith(server.url, { user: 'identity', password: '', database: 'tokens' });

    const opening = openSqlSession(parseDatabaseUrl(url, () => source()));

    await expect(opening).rejects.toThrow();
    expect(identity.asked).toBe(0);
  });
});

/** Connections of the role, also those that have not logged in. */
const connections = () =>
  runStatements(
    server.url,
    `select from pg_stat_activity where usename = 'identity' or backend_type = 'client backend' and usename is null`,
  );

/** Asks a managed identity, as Azure offers it to the app; each time another one, for the SDK remembers. */
const managedIdentity = () => {
  identity.asked += 1;
  return databaseToken(createAzureIdentity(randomUUID()));
};

describe('a managed identity', () => {
  it('logs in with the token it gives for the database', async () => {
    source = managedIdentity;
    endpoint.behave((request, response) => {
      const isForDatabase = request.url?.includes(
        encodeURIComponent('https://ossrdbms-aad.database.windows.net'),
      );
      const expires_on = String(Math.floor(Date.now() / 1000) + 3_600);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ access_token: isForDatabase ? identity.token : 'other', expires_on }));
    });
    await using database = open();

    expect(await whoAmI(database)).toEqual({ by: 'scram-sha-256:identity', isEncrypted: true });
  });

  it.each([
    ['identity_unavailable', 503, 4],
    ['identity_refused', 400, 1],
  ])(
    'that gives none, %s, makes the database unavailable, and leaves no connection',
    async (code, status, tries) => {
      source = managedIdentity;
      endpoint.behave(refuseToken(status, 'no token today'));
      await using database = open({ breakerThreshold: tries });

      const asking = whoAmI(database);

      await expect(asking).rejects.toMatchObject({
        name: 'AppError',
        code: 'unavailable',
        retryAfterSeconds: 5,
        cause: { name: 'IdentityError', code },
      });
      expect(identity.asked).toBe(tries);
      await expect(whoAmI(database)).rejects.toMatchObject({ code: 'unavailable', cause: undefined });
      expect(identity.asked).toBe(tries);
      await expect.poll(connections, { timeout: 5_000 }).toEqual([]);
    },
  );

  it('that gives none fails a migration and a dump with words that say so', async () => {
    source = managedIdentity;
    endpoint.behave(refuseToken(400, 'no token today'));
    const dump = () =>
      text(dumpDatabase({ connection: addressOf(), args: [], clock: systemClock, signal: never() }));

    await expect(migrateToLatest(addressOf())).rejects.toThrow('No identity gives the app a token');
    await expect(dump()).rejects.toMatchObject({ name: 'DumpError', code: 'connect_failed' });
  });

  it('that does not answer is not waited for longer than a connection', async () => {
    source = () => new Promise(() => {});
    await using database = open({ retries: 0, timeoutMs: 300 });

    await expect(whoAmI(database)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(openSqlSession(addressOf())).rejects.toThrow('timeout expired');
    await expect.poll(connections, { timeout: 5_000 }).toEqual([]);
  });
});
