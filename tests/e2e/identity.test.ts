import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { prepareDatabase } from '../../local/database.ts';
import { startLocalHost } from '../../local/host/index.ts';
import { pickFreePorts } from '../../local/services/ports.ts';
import { startPostgres } from '../../local/services/postgres.ts';
import { type Api, apiWith, bodyOf, expectProblem, json } from '../support/api.ts';
import { testSecretKey } from '../support/app.ts';
import { giveToken, type IdentityEndpoint, startIdentityEndpoint } from '../support/identity-endpoint.ts';
import { type SecureAzurite, startSecureAzurite } from '../support/secure-azurite.ts';
import { makeTemporaryFolder } from '../support/temporary-folder.ts';
import { pngBytes, uploaded, uploadForm } from '../support/uploads.ts';

/*
 * The app as it runs in Azure: it has an identity and no key of any account. The local host knows connection strings
 * only, so its queue trigger is off; the rest of its way is the same.
 */

const dataAccount = { name: 'crownfiles', key: randomBytes(32).toString('base64') };
const backupAccount = { name: 'crownbackups', key: randomBytes(32).toString('base64') };
/** So short that every call has to ask for one. */
const shortToken = giveToken(20);

const stack = new AsyncDisposableStack();
const logLines: string[] = [];
let secure: SecureAzurite;
let endpoint: IdentityEndpoint;
let api: Api;

beforeAll(async () => {
  const accounts = [dataAccount, backupAccount].map(({ name, key }) => `${name}:${key}`);
  vi.stubEnv('AZURITE_ACCOUNTS', accounts.join(';'));
  const folder = makeTemporaryFolder();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  secure = stack.use(await startSecureAzurite());
  endpoint = stack.use(await startIdentityEndpoint());
  endpoint.behave(shortToken);
  const [databasePort = 0, port = 0] = await pickFreePorts(2);
  const postgres = await startPostgres({ folder, temporary: true, port: databasePort });
  stack.defer(() => postgres.stop());

  const { blob, queue, table } = secure.endpointsOf(dataAccount.name);
  const env = {
    PATH: process.env['PATH'] ?? '',
    ENVIRONMENT: 'test',
    SECRET_KEY: testSecretKey,
    DATABASE_URL: postgres.appUrl,
    BACKUP_DATABASE_ROLE: 'backup',
    AzureWebJobsStorage__blobServiceUri: blob,
    AzureWebJobsStorage__queueServiceUri: queue,
    AzureWebJobsStorage__tableServiceUri: table,
    BACKUP_STORAGE_BLOB_URI: secure.endpointsOf(backupAccount.name).blob,
    AZURE_CLIENT_ID: '55555555-5555-5555-5555-555555555555',
    ...endpoint.environment,
    NODE_EXTRA_CA_CERTS: secure.certificateFile,
    'AzureWebJobs.jobs.Disabled': 'true',
    LOG_LEVEL: 'debug',
    // Libraries would write everything they do to stderr.
    AZURE_LOG_LEVEL: 'verbose',
    DEBUG: '*',
  };
  const adminKey = await prepareDatabase(folder, env, postgres);
  const host = await startLocalHost({
    appFolder: inject('appFolder'),
    port,
    env,
    stateFolder: join(folder, 'host'),
    log: (_, line) => logLines.push(line),
  });
  stack.defer(() => host.stop());
  api = apiWith(adminKey, host.url);
});
afterAll(() => stack.disposeAsync());

/** Looks into an account with its key, which the app does not have. */
function blobsIn({ name, key }: typeof dataAccount): BlobServiceClient {
  return new BlobServiceClient(secure.endpointsOf(name).blob, new StorageSharedKeyCredential(name, key));
}

async function containersIn(account: typeof dataAccount): Promise<string[]> {
  const names = [];
  for await (const { name } of blobsIn(account).listContainers()) names.push(name);
  return names;
}

interface Backup {
  readonly name: string;
  readonly status: string;
  readonly sha256: string;
}

describe('an app without any key', () => {
  it('is ready', async () => {
    const response = await api('/api/v1/health/ready');

    expect(await bodyOf(response)).toMatchObject({ status: 'ok' });
  });

  it('stores files, and gives links to them that work without a credential and die with the file', async () => {
    const bytes = pngBytes();
    const { id } = await uploaded(api, bytes);
    const { id: other } = await uploaded(api);

    const single = await bodyOf<{ url: string }>(api('/api/v1/sas', json({ file_id: id, expires_in: 60 })));
    const batch = await bodyOf<{ results: { url: string }[] }>(
      api('/api/v1/sas/batch', json({ items: [{ file_id: id }, { file_id: other }] })),
    );
    const links = [single, ...batch.results].map(({ url }) => url);
    const answers = await Promise.all(links.map((url) => fetch(url)));
    const [read] = await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    const deleted = await api(`/api/v1/files/${id}`, { method: 'DELETE' });
    const after = await Promise.all(links.map((url) => fetch(url)));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(bytes.equals(Buffer.from(read ?? new ArrayBuffer(0)))).toBe(true);
    for (const url of links) expect(url).toMatch(/^https:\/\/.*\/crownfiles\/crownsafe-images\/.*[?&]skoid=/);
    expect(deleted.status).toBe(204);
    expect(after.map(({ status }) => status)).toEqual([404, 404, 200]);
  });

  it('takes its backups into the account that is kept for them', async () => {
    const accepted = await api('/admin/functions/backup-nightly', json({ input: '' }));
    const newest = async () => (await bodyOf<{ data: Backup[] }>(api('/api/v1/backups'))).data[0];
    await expect.poll(async () => (await newest())?.status, { timeout: 30_000 }).toBe('stored');
    const backup = await newest();
    const redirect = await api(`/api/v1/backups/${backup?.name}/download`);
    const link = redirect.headers.get('location') ?? '';
    const dump = Buffer.from(await (await fetch(link)).arrayBuffer());

    expect(accepted.status).toBe(202);
    expect(link).toContain('/crownbackups/crownsafe-backups/');
    expect(createHash('sha256').update(dump).digest('hex')).toBe(backup?.sha256);
    // Where the timer has come by, the seals of the audit trail are there as well.
    expect((await containersIn(backupAccount)).filter((name) => name !== 'crownsafe-audit')).toEqual([
      'crownsafe-backups',
    ]);
    for (const name of ['crownsafe-backups', 'crownsafe-audit'])
      expect(await containersIn(dataAccount)).not.toContain(name);
  });

  it('sends its jobs to the queue of the platform', async () => {
    const headers = { 'x-correlation-id': 'a-backup-by-identity' };
    const accepted = await api('/api/v1/backups', { method: 'POST', headers });

    const credential = new StorageSharedKeyCredential(dataAccount.name, dataAccount.key);
    const jobs = new QueueServiceClient(secure.endpointsOf(dataAccount.name).queue, credential);
    const { peekedMessageItems } = await jobs.getQueueClient('jobs').peekMessages();

    expect(accepted.status).toBe(202);
    expect(peekedMessageItems.map(({ messageText }) => JSON.parse(messageText))).toEqual([
      { kind: 'backup', id: expect.any(String), correlation_id: 'a-backup-by-identity' },
    ]);
  });

  it('is out of work while nobody gives it a token, and back at work after', async () => {
    endpoint.behave((request) => request.socket.destroy());
    const refused = await uploadForm(api, pngBytes());
    const unready = await api('/api/v1/health/ready');
    endpoint.behave(shortToken);
    const ready = await api('/api/v1/health/ready');
    const stored = await uploadForm(api, pngBytes());

    await expectProblem(refused, 503, 'unavailable');
    expect([unready.status, ready.status, stored.status]).toEqual([503, 200, 201]);
  });

  it('writes neither token nor signature into its log', () => {
    const log = logLines.join('\n');

    expect(log).toContain('identity_unavailable');
    expect(log).not.toMatch(/eyJ|sig=(?!\[redacted\])/);
    expect(log).not.toContain(endpoint.environment['IDENTITY_HEADER']);
  });

  it('writes nothing but JSON, with all that is known in each line, also when libraries are told to talk', () => {
    const own = logLines.filter((line) => !/^Execut(?:ing|ed) 'Functions\./.test(line));

    const { json = [], text } = Object.groupBy(own, (line) => (line.startsWith('{') ? 'json' : 'text'));
    const entries = json.map((line) => JSON.parse(line));

    // Of the library of the platform, to the log of the platform.
    expect(text).toEqual([
      'HTTP streaming enabled.',
      expect.stringMatching(/^Auto-assigned port is valid\. Port: \d+$/),
    ]);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        level: expect.stringMatching(/^(debug|info|warning|error)$/),
        logger: 'crownsafe',
        message: expect.any(String),
        module: expect.any(String),
      });
    }
    const uploads = entries.filter((entry) => entry.function === 'files-upload' && entry.user_id);
    expect(uploads.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['a call has ended', 'the gate has admitted a file', 'request answered']),
    );
    for (const entry of uploads)
      expect(entry).toMatchObject({ request_id: expect.any(String), correlation_id: expect.any(String) });
    expect(uploads.findLast(({ message }) => message === 'request answered')).toMatchObject({
      resource: expect.stringMatching(/^files\/[0-9a-f-]{36}$/),
      duration_ms: expect.any(Number),
    });
    expect(entries.filter(({ error }) => error?.stack).every(({ line }) => /\.js:\d+$/.test(line))).toBe(
      true,
    );
  });
});
