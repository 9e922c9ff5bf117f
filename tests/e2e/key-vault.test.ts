import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { prepareDatabase } from '../../local/database.ts';
import { type Api, apiWith, bodyOf, expectProblem } from '../support/api.ts';
import { createDatabase, dropDatabase } from '../support/databases.ts';
import { type IdentityEndpoint, startIdentityEndpoint } from '../support/identity-endpoint.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { type KeyVaultServer, startKeyVaultServer } from '../support/key-vault-server.ts';
import { makeSelfSigned } from '../support/self-signed.ts';
import { makeTemporaryFolder } from '../support/temporary-folder.ts';
import { uploaded } from '../support/uploads.ts';

/* The secrets of the app are in a vault, and in none of its settings. */

const firstKey = 'the-first-secret-key-of-this-test-0123456789';
const secondKey = 'the-second-secret-key-of-this-test-012345678';
const stack = new AsyncDisposableStack();
let vault: KeyVaultServer;
let identity: IdentityEndpoint;
let instance: Instance;
let api: Api;
let settings: Record<string, string>;
let firstVersion: string;

beforeAll(async () => {
  const certificate = makeSelfSigned();
  const folder = makeTemporaryFolder();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const certificateFile = join(folder, 'certificate.pem');
  await writeFile(certificateFile, certificate.certificate);
  const databaseUrl = await createDatabase(inject('databaseUrl'));
  stack.defer(() => dropDatabase(databaseUrl));
  const adminKey = await prepareDatabase(folder, {
    PATH: process.env['PATH'] ?? '',
    ENVIRONMENT: 'test',
    AzureWebJobsStorage: inject('storageConnectionString'),
    SECRET_KEY: firstKey,
    DATABASE_URL: databaseUrl,
  });
  identity = stack.use(await startIdentityEndpoint());
  vault = stack.use(await startKeyVaultServer(certificate));
  firstVersion = vault.add('secret-key', firstKey, 120);
  vault.add('database-address', databaseUrl);
  settings = {
    USE_SECRETS_MANAGER: 'true',
    KEY_VAULT_URL: vault.url,
    DATABASE_URL_NAME: 'database-address',
    NODE_EXTRA_CA_CERTS: certificateFile,
    ...identity.environment,
  };
  vault.behave((request) => request.socket.destroy());
  instance = stack.use(await startInstance(settings));
  api = apiWith(adminKey, instance.url);
});
afterAll(() => stack.disposeAsync());

const statusOf = async (path: string) => (await api(path)).status;

interface Page {
  readonly data: readonly { readonly id: string }[];
  readonly next_cursor: string | null;
}

describe('an app whose secrets are in a vault', () => {
  it('starts while the vault is away, answers 503, and works as soon as it is back', async () => {
    const refused = await api('/api/v1/files');
    const live = await statusOf('/api/v1/health/live');
    const ready = await statusOf('/api/v1/health/ready');
    vault.behave();

    await expectProblem(refused, 503, 'unavailable');
    expect([live, ready]).toEqual([200, 503]);
    await expect.poll(() => statusOf('/api/v1/files'), { timeout: 30_000, interval: 500 }).toBe(200);
    expect(await statusOf('/api/v1/health/ready')).toBe(200);
  });

  it('asks the vault for nothing more while it knows its secrets', async () => {
    const before = vault.requests.length;
    await Promise.all(Array.from({ length: 10 }, () => statusOf('/api/v1/files')));

    expect(vault.requests).toHaveLength(before);
  });

  it('audits what it has read, of which the settings know nothing', async () => {
    const { findings } = await bodyOf<{ findings: readonly { id: string; level: string }[] }>(
      api('/api/v1/monitoring/security-audit'),
    );

    expect(findings).toContainEqual(expect.objectContaining({ id: 'weak_secret_key', level: 'critical' }));
    expect(findings).not.toContainEqual(expect.objectContaining({ level: 'unknown' }));
    expect(JSON.stringify(findings)).not.toContain(firstKey);
  });

  it('accepts what the secret before has made, and no more once that one is disabled', async () => {
    await Promise.all([uploaded(api), uploaded(api)]);
    const { data, next_cursor: cursor } = await bodyOf<Page>(api('/api/v1/files?per_page=1'));
    const next = () => api(`/api/v1/files?per_page=1&cursor=${cursor}`);
    vault.add('secret-key', secondKey, 60);
    await instance.restart(settings);
    const during = await bodyOf<Page>(next());
    const statusDuring = await statusOf('/api/v1/files');
    vault.disable('secret-key', firstVersion);
    await instance.restart(settings);
    const statusAfter = await statusOf('/api/v1/files');

    expect(statusDuring).toBe(200);
    expect(during.data[0]?.id).not.toBe(data[0]?.id);
    // The key's hash was made anew when it was used, and a stop waits for that.
    expect(statusAfter).toBe(200);
    await expectProblem(await next(), 422, 'validation_failed');
  });

  it('says what is missing, to its operator', async () => {
    await instance.restart({ ...settings, SECRET_KEY_NAME: 'no-such-key' });

    await expectProblem(await api('/api/v1/files'), 503, 'unavailable');
    expect(instance.logLines.join('\n')).toContain(
      'The vault has no enabled version of the secret no-such-key, and SECRET_KEY is not set',
    );
  });

  it('is examined also while the vault is away, which is the first thing that is told', async () => {
    vault.behave((request) => request.socket.destroy());
    const env = {
      PATH: process.env['PATH'],
      ENVIRONMENT: 'test',
      LOG_LEVEL: 'error',
      AzureWebJobsStorage: inject('storageConnectionString'),
      ...settings,
    };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(inject('appFolder'), 'crownsafe.js'), 'doctor'],
      { env },
    ).catch((error) => error);
    vault.behave();

    expect(stdout).toMatch(/^failed +vault: The secrets of this service are not available at the moment: ./);
    expect(stdout).toMatch(/^failed +database: /m);
    expect(stdout).toMatch(/^ok +blob, /m);
    expect(stdout).toMatch(/^failed +migrations: /m);
    expect(stdout).toMatch(/^unknown +vault_unknown: /m);
    expect(stdout).toMatch(/^3 of 7 checks failed; /m);
  });

  it('writes none of its secrets into its log', () => {
    const log = instance.logLines.join('\n');

    expect(log).toContain('a secret could not be read from the vault');
    for (const secret of [firstKey, secondKey]) expect(log).not.toContain(secret);
    expect(log).not.toMatch(/eyJ/);
  });
});
