import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createAuthentication } from '../../../src/authentication.ts';
import { loadConfig } from '../../../src/lib/config/index.ts';
import { createLifecycle, systemClock } from '../../../src/lib/core/index.ts';
import { type Database, migrateToLatest, parseDatabaseUrl } from '../../../src/lib/database/index.ts';
import { createLogger } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { type Authenticate, createKeyring } from '../../../src/lib/security/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { claimsOf, type IssuerKey, issuedToken, makeIssuerKey } from '../../support/jwt.ts';
import {
  type Answer,
  type MisbehavingServer,
  startMisbehavingServer,
} from '../../support/misbehaving-server.ts';

const [old, fresh] = [makeIssuerKey('2026-01'), makeIssuerKey('2026-02', 'ES256')];
const minuteMs = 60_000;
const { signal } = new AbortController();

const down: Answer = (_, response) => response.writeHead(404).end();
const show =
  (...keys: readonly IssuerKey[]): Answer =>
  (_, response) =>
    response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));

let url: string;
let database: Database;
let server: MisbehavingServer;
let answer: Answer;

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  database = openDatabase(url, createResilience({ clock: systemClock }));
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

beforeEach(async () => {
  answer = show(old);
  server = await startMisbehavingServer((...call) => answer(...call));
});
afterEach(() => server[Symbol.asyncDispose]());

/** The authentication of an instance whose issuer is `server`, at a time of its own. */
function openInstance() {
  const clock = fakeClock();
  const lines: string[] = [];
  const logger = createLogger({ clock: systemClock, level: 'warning', write: (line) => lines.push(line) });
  const lifecycle = createLifecycle({ clock: systemClock, logger });
  const claims = { iss: 'https://login.example/', aud: 'api://crownsafe' };
  const keyring = createKeyring('k'.repeat(32));
  const authenticate = createAuthentication({
    config: loadConfig({
      ENVIRONMENT: 'test',
      SECRET_KEY: 'k'.repeat(32),
      DATABASE_URL: url,
      AZURE_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=true',
      JWT_JWKS_URL: `${server.origin}/keys`,
      JWT_ISSUER: claims.iss,
      JWT_AUDIENCE: claims.aud,
    }),
    clock,
    logger,
    lifecycle,
    resilience: createResilience({ clock: systemClock, settings: { retries: 0 } }),
    database,
    keyring,
    jwtSecrets: () => undefined,
    findApiKey: async () => undefined,
  });
  return { clock, lines, ask: asker(authenticate, clock, claims) };
}

/** Who somebody with a token by a key is, or the status of the refusal. */
function asker(authenticate: Authenticate, clock: FakeClock, claims: object) {
  return async (key: IssuerKey) => {
    const token = issuedToken(key, claimsOf('alice', claims, clock.now()));
    const credentials = { apiKey: undefined, clientPrincipal: undefined, authorization: `Bearer ${token}` };
    return authenticate(credentials, signal).then(
      ({ id }) => id,
      (error: { status?: number }) => error.status,
    );
  };
}

describe('an instance and the issuer of tokens', () => {
  it('follows it to new keys, within half a minute of one that it does not have, and then knows the old one no more', async () => {
    const { clock, ask } = openInstance();

    const before = [await ask(old)];
    await clock.advance(minuteMs);
    before.push(await ask(fresh));
    answer = show(fresh);
    await clock.advance(29_999);
    const tooEarly = await ask(fresh);
    await clock.advance(1);

    expect([...before, tooEarly]).toEqual(['alice', 401, 401]);
    expect([await ask(fresh), await ask(old)]).toEqual(['alice', 401]);
    expect(server.requests.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
      'GET /keys',
      'GET /keys',
      'GET /keys',
    ]);
  });

  it('goes on without it, and says so in the log without its address', async () => {
    const { clock, ask, lines } = openInstance();
    await ask(old);
    answer = down;

    await clock.advance(10 * minuteMs);

    expect([await ask(old), await ask(fresh)]).toEqual(['alice', 503]);
    expect(server.requests).toHaveLength(2);
    const [line = '', ...others] = lines;
    expect(JSON.parse(line)).toMatchObject({
      message: 'the keys of the issuer of tokens could not be fetched',
    });
    expect(line).not.toContain('/keys');
    expect(others).toEqual([]);
  });
});
