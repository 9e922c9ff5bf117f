import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Api,
  afterMaintenance,
  apiWith,
  bodyOf,
  expectProblem,
  inDatabase,
  json,
} from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';
import { pngBytes } from '../support/uploads.ts';

/* A stack of its own, because its audit trail is tampered with. */

interface Entry {
  readonly id: number;
  readonly actor: string;
  readonly action: string;
  readonly object: { readonly type: string; readonly id: string };
  readonly correlation_id: string;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly sealed: boolean;
}

let app: App;
let api: Api;

beforeAll(async () => {
  app = await startApp(inject('appFolder'));
  api = apiWith(app.adminKey, app.baseUrl);
});
afterAll(() => app?.stop());

const list = async (query = '') => (await bodyOf<{ data: Entry[] }>(api(`/api/v1/audit${query}`))).data;

/** Runs the packaged command on the services of the app. */
async function crownsafe(...args: string[]) {
  const command = join(inject('appFolder'), 'crownsafe.js');
  const env = { ...app.env, PATH: process.env['PATH'] };
  return promisify(execFile)(process.execPath, [command, ...args], { env }).then(
    ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

const tamper = (statement: string) =>
  inDatabase((db) => db.query(`set session_replication_role = replica; ${statement}`), app.databaseUrl);

describe('the audit trail', () => {
  it('tells the history of one object, and in which request each thing was done', async () => {
    const headers = { 'content-type': 'image/png', 'x-file-name': 'photo.png', 'idempotency-key': 'once' };
    const bytes = new Uint8Array(pngBytes());
    const uploadWith = (correlationId: string) =>
      api('/api/v1/uploads', {
        method: 'POST',
        headers: { ...headers, 'x-correlation-id': correlationId },
        body: bytes,
      });
    const { id } = await bodyOf<{ id: string }>(uploadWith('audit-upload-1'));
    const replayed = await uploadWith('audit-upload-2');
    await api('/api/v1/sas', json({ file_id: id }));
    await api(`/api/v1/files/${id}`, { method: 'DELETE' });
    await api(`/api/v1/files/${id}`, { method: 'DELETE' });

    const history = await list(`?object_type=file&object_id=${id}`);

    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
    expect(history.map(({ action, actor }) => [action, actor])).toEqual([
      ['file.delete', api.callerId],
      ['link.issue', api.callerId],
      ['file.upload', api.callerId],
    ]);
    expect(history[2]).toMatchObject({
      correlation_id: 'audit-upload-1',
      after: { name: 'photo.png', content_type: 'image/png' },
    });
    expect(await list(`?actor=${api.callerId}&action=file.delete`)).toEqual([history[0]]);
    expect(await list('?actor=nobody')).toEqual([]);
    expect(await list('?to=2020-01-01')).toEqual([]);
  });

  it.each(['?colour=red', '?from=yesterday', '?cursor=x', '?object_id=%00', '?page=0'])(
    'refuses %s',
    async (query) => {
      await expectProblem(await api(`/api/v1/audit${query}`), 422, 'validation_failed');
    },
  );

  it('is sealed by maintenance, and then its metric says that nothing waits', async () => {
    await afterMaintenance(app.baseUrl, async () => (await list()).every(({ sealed }) => sealed)).toBe(true);

    const metrics = await (await api('/metrics')).text();
    const blobs = BlobServiceClient.fromConnectionString(app.storageConnectionString);
    const archived = blobs.getContainerClient('crownsafe-audit').listBlobsFlat();

    expect(metrics).toMatch(/^audit_unsealed_age_seconds\{instance="\w+"\} 0$/m);
    expect((await archived.next()).value?.name).toMatch(/^0{11}1-[0-9a-f]{64}\.json$/);
  });

  it('is verified by the command, which ends with 1 and names the row that was changed', async () => {
    const whole = await crownsafe('audit', 'verify');
    await tamper(`update audit_log set object_id = 'another' where id = 2`);
    const broken = await crownsafe('audit', 'verify');
    const wrong = await crownsafe('audit', 'verify', '--from', 'zero');

    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect(whole.stdout).toMatch(/^\d+ rows under \d+ seals, from seal 1 on, are as they were written\n/);
    expect(broken).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^seal \d+: row 2 was changed\n$/),
    });
    expect(wrong.code).toBe(1);
  });

  it('names the user of the machine for what the command did', async () => {
    const id = crypto.randomUUID();
    await inDatabase(
      (db) =>
        db.query(
          `insert into jobs (id, kind, subject, status, finished_at) values ($1, 'backup', 'none', 'failed', now())`,
          [id],
        ),
      app.databaseUrl,
    );

    await crownsafe('jobs', 'retry', id);

    expect(await list(`?object_id=${id}`)).toMatchObject([
      { action: 'job.retry', actor: expect.stringMatching(/^cli:.+/), object: { type: 'job', id } },
    ]);
  });
});
