import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeployedDatabase } from '../../../scripts/deploy/command-environment.ts';
import { runCrownsafe } from '../../../scripts/deploy/crownsafe-command.ts';
import { prepareDatabase } from '../../../scripts/deploy/prepare-database.ts';
import { type EntraServer, startEntraServer } from '../../support/entra-server.ts';
import { installFakeAzd } from '../../support/fake-azd.ts';
import { type OwnPostgres, runStatements, startOwnPostgres, urlWith } from '../../support/own-postgres.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';
import { switchTls, writeServerFile } from '../../support/server-tls.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';

/*
 * The operator's command as a deployment runs it: over TLS, with a token from azd in the place of a password. The
 * password of the administrator is that token.
 */

const token = randomBytes(1_500).toString('base64url');
const administrator = 'first.last@example.com';
const identity = { name: 'id-api-test', objectId: '11111111-1111-1111-1111-111111111111' };
const { signal } = new AbortController();
const folder = makeTemporaryFolder();
let server: OwnPostgres;
let entra: EntraServer;
let database: DeployedDatabase;
let settings: Record<string, string>;

beforeAll(async () => {
  const { key, certificate } = makeSelfSigned();
  server = await startOwnPostgres();
  await writeServerFile(server.url, 'server.key', key);
  await writeServerFile(server.url, 'server.crt', certificate);
  await switchTls(server.url, 'on');
  await runStatements(
    server.url,
    `create role "${administrator}" login createrole password '${token}'`,
    `create database deployed owner "${administrator}"`,
  );
  const rules = [
    'host all postgres 127.0.0.1/32 scram-sha-256',
    `hostssl all "${administrator}" 127.0.0.1/32 password`,
  ];
  await writeServerFile(server.url, 'pg_hba.conf', rules.join('\n'));
  await runStatements(server.url, 'select pg_reload_conf()');

  const port = Number(new URL(server.url).port);
  entra = await startEntraServer(port, { key, certificate });
  database = { host: '127.0.0.1', port, name: 'deployed', user: administrator };
  writeFileSync(join(folder, 'authority.pem'), certificate);
  settings = {
    PATH: installFakeAzd(folder, { tokens: { 'https://ossrdbms-aad.database.windows.net/.default': token } }),
    NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem'),
    AZURE_TOKEN_CREDENTIALS: 'AzureDeveloperCliCredential',
  };
});
afterAll(async () => {
  await entra.stop();
  await server.stop();
  await rm(folder, { recursive: true });
});

describe('preparing a deployed database', () => {
  it('makes roles and schema, and finds nothing to do the second time', async () => {
    for (const _ of ['first', 'second'])
      await prepareDatabase({ ...database, port: entra.port }, identity, signal, settings);

    const deployed = urlWith(server.url, { database: 'deployed' });
    const [table] = await runStatements(
      deployed,
      "select tableowner as owner, has_table_privilege('app', 'files', 'insert') as writable from pg_tables where tablename = 'files'",
    );
    const [login] = await runStatements(
      deployed,
      `select rolcanlogin as "canLogin", pg_has_role(oid, 'app', 'set') as "actsAsApp", shobj_description(oid, 'pg_authid') as label
         from pg_roles where rolname = '${identity.name}'`,
    );
    expect(table).toEqual({ owner: 'schema_owner', writable: true });
    expect(login).toEqual({
      canLogin: true,
      actsAsApp: true,
      label: `aadauth,oid=${identity.objectId},type=service`,
    });
  });

  it('lets the administrator make the first API key', async () => {
    const own = {
      SECRET_KEY: 'a-secret-for-tests-only-0123456789abcdef',
      AZURE_STORAGE_ACCOUNT_NAME: 'sttest',
    };

    await runCrownsafe(database, ['keys', 'create', '--name', 'first', '--scopes', 'admin'], signal, {
      ...settings,
      ...own,
    });

    const keys = await runStatements(
      urlWith(server.url, { database: 'deployed' }),
      'select name, scopes from api_keys',
    );
    expect(keys).toEqual([{ name: 'first', scopes: ['admin'] }]);
  });

  it('fails when a command does, and goes no further', async () => {
    // PostgreSQL itself knows no identities of Entra.
    await runStatements(server.url, `create database fresh owner "${administrator}"`);

    const work = prepareDatabase({ ...database, name: 'fresh' }, identity, signal, settings);

    await expect(work).rejects.toMatchObject({
      name: 'LocalError',
      message: expect.stringContaining('crownsafe roles apply failed'),
    });
    const tables = await runStatements(
      urlWith(server.url, { database: 'fresh' }),
      "select from pg_tables where schemaname = 'public'",
    );
    expect(tables).toEqual([]);
  });

  it('tells what to do when the firewall of the server refuses this address', async () => {
    const work = runCrownsafe({ ...database, user: 'stranger' }, ['migrate', 'up'], signal, settings);

    await expect(work).rejects.toThrow('is out of reach from here (it refuses this address)');
    await expect(work).rejects.toThrow('azd env set ALLOWED_IP_RANGES');
  });

  it('tells the same when nobody listens', async () => {
    const work = runCrownsafe({ ...database, port: 1 }, ['migrate', 'up'], signal, settings);

    await expect(work).rejects.toThrow('127.0.0.1:1 is out of reach from here (ECONNREFUSED)');
  });

  it('ends the command when it is told to', async () => {
    const stop = new AbortController();

    const work = runCrownsafe(database, ['migrate', 'up'], stop.signal, settings);
    stop.abort();

    await expect(work).rejects.toThrow(/abort/i);
  });
});
