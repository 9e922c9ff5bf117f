import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Api,
  afterMaintenance,
  apiWith,
  bodyOf,
  expectProblem,
  inDatabase,
  json,
  newCaller,
  newProject,
} from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';
import { type FileJson, formOf, pngBytes, uploaded, uploadRaw } from '../support/uploads.ts';

const newKey = () => ({ 'idempotency-key': crypto.randomUUID() });

/** What must be alike in all answers to one request. */
async function answerOf(response: Response) {
  const { status, headers } = response;
  return {
    answer: { status, location: headers.get('location'), text: await response.text() },
    replayed: headers.get('idempotency-replayed'),
  };
}

function sendForm(
  api: Api,
  bytes: Uint8Array,
  headers: Record<string, string>,
  parts?: Parameters<typeof formOf>[1],
) {
  return api('/api/v1/uploads', { method: 'POST', body: formOf(bytes, parts), headers });
}

async function filesOf(api: Api): Promise<FileJson[]> {
  return (await bodyOf<{ data: FileJson[] }>(api('/api/v1/files?per_page=200'))).data;
}

describe('an upload under an Idempotency-Key', () => {
  it('is stored once, and answered alike every time, as a form or as raw bytes', async () => {
    const api = await newCaller('files:write', 'files:read');
    const [key, bytes] = [newKey(), pngBytes()];

    const first = await answerOf(await sendForm(api, bytes, key));
    const again = await answerOf(await sendForm(api, bytes, key));
    const raw = await answerOf(await uploadRaw(api, bytes, key));

    const files = await filesOf(api);
    expect(first).toMatchObject({ answer: { status: 201 }, replayed: null });
    expect(again).toEqual({ ...first, replayed: 'true' });
    expect(raw).toEqual({ ...first, replayed: 'true' });
    expect(files).toEqual([JSON.parse(first.answer.text)]);
    expect(first.answer.location).toBe(`/api/v1/files/${files[0]?.id}`);
  });

  it('is stored once when twenty come at the same time', async () => {
    const api = await newCaller('files:write', 'files:read');
    const [key, bytes] = [newKey(), pngBytes()];

    const responses = await Promise.all(Array.from({ length: 20 }, () => uploadRaw(api, bytes, key)));

    const files = await filesOf(api);
    expect(files).toHaveLength(1);
    expect(responses.some(({ status }) => status === 201)).toBe(true);
    for (const response of responses) {
      if (response.status === 201) expect(await bodyOf<FileJson>(response)).toEqual(files[0]);
      else await expectProblem(response, 409, 'idempotency_key_in_use');
    }
    expect((await answerOf(await uploadRaw(api, bytes, key))).replayed).toBe('true');
  });

  it('is another one for another caller', async () => {
    const [one, other] = [await newCaller('files:write'), await newCaller('files:write')];
    const [key, bytes] = [newKey(), pngBytes()];

    const first = await bodyOf<FileJson>(sendForm(one, bytes, key));
    const second = await answerOf(await sendForm(other, bytes, key));

    expect(second).toMatchObject({ answer: { status: 201 }, replayed: null });
    expect(JSON.parse(second.answer.text)).not.toMatchObject({ id: first.id });
  });

  it('is refused for another file, name, project or metadata under the same key', async () => {
    const api = await newCaller('files:write', 'files:read');
    const projectId = await newProject(api);
    const member = apiWith(api.key);
    const [key, bytes] = [newKey(), pngBytes()];
    await sendForm(member, bytes, key);

    const others = [
      await sendForm(member, pngBytes(), key),
      await sendForm(member, bytes, key, { name: 'other.png' }),
      await sendForm(member, bytes, key, { fields: { project_id: projectId } }),
      await sendForm(member, bytes, key, { fields: { metadata: '{"a":"b"}' } }),
    ];

    for (const response of others) await expectProblem(response, 422, 'idempotency_key_reused');
    expect(await filesOf(member)).toHaveLength(1);
  });

  it('may be mended when it was refused', async () => {
    const api = await newCaller('files:write');
    const [key, bytes] = [newKey(), pngBytes()];
    const digest = `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

    const wrongName = await uploadRaw(api, bytes, { ...key, 'x-file-name': 'photo.exe' });
    const wrongBytes = await uploadRaw(api, pngBytes(), { ...key, 'repr-digest': digest });
    const right = await uploadRaw(api, bytes, { ...key, 'repr-digest': digest });

    await expectProblem(wrongName, 415, 'unsupported_file_type');
    await expectProblem(wrongBytes, 422, 'digest_mismatch');
    expect(await answerOf(right)).toMatchObject({ answer: { status: 201 }, replayed: null });
  });

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(256)],
    ['in two words', 'a b'],
    ['beyond ASCII', 'clé'],
  ])('is refused with a key that is %s, before anything is read', async (_, key) => {
    const api = await newCaller('files:write');

    await expectProblem(
      await uploadRaw(api, pngBytes(), { 'idempotency-key': key }),
      400,
      'malformed_request',
    );
  });
});

describe('an Idempotency-Key', () => {
  it('means nothing to what creates nothing that lasts', async () => {
    const api = await newCaller('files:write', 'files:read', 'files:share');
    const { id } = await uploaded(api);
    const noKey = { 'idempotency-key': 'not a key' };
    const body = (request: RequestInit) => ({
      ...request,
      headers: { ...noKey, 'content-type': 'application/json' },
    });

    const link = await api('/api/v1/sas', body(json({ file_id: id })));
    const links = await api('/api/v1/sas/batch', body(json({ items: [{ file_id: id }] })));

    expect([link.status, links.status]).toEqual([201, 200]);
    for (const method of ['GET', 'HEAD'])
      expect((await api(`/api/v1/files/${id}`, { method, headers: noKey })).status).toBe(200);
  });
});

describe('on an app of its own', () => {
  let app: App;
  let api: Api;

  beforeAll(async () => {
    app = await startApp(inject('appFolder'));
    api = apiWith(app.adminKey, app.baseUrl);
  });
  afterAll(() => app.stop());

  const backupUnder = (key: Record<string, string>, kind?: string) =>
    api('/api/v1/backups', {
      method: 'POST',
      headers: { ...key, ...(kind && { 'content-type': 'application/json' }) },
      ...(kind && { body: JSON.stringify({ kind }) }),
    });

  it('a backup is taken once, and accepted alike every time, however far it is by then', async () => {
    const key = newKey();

    const first = await answerOf(await backupUnder(key));
    const other = await backupUnder(newKey());
    const again = await answerOf(await backupUnder(key, 'full'));
    const status = async () => (await bodyOf<{ status: string }>(api(first.answer.location ?? ''))).status;
    await expect.poll(status, { timeout: 30_000 }).toBe('stored');
    const afterwards = await answerOf(await backupUnder(key));

    const { data } = await bodyOf<{ data: { name: string }[] }>(api('/api/v1/backups'));
    expect(first).toMatchObject({ answer: { status: 202 }, replayed: null });
    expect(JSON.parse(first.answer.text)).toMatchObject({ status: 'queued' });
    expect(again).toEqual({ ...first, replayed: 'true' });
    expect(afterwards).toEqual({ ...first, replayed: 'true' });
    await expectProblem(other, 409, 'backup_running');
    expect(data).toHaveLength(1);
  });

  it('a refused backup may be asked for again under its key', async () => {
    const [running, key] = [await backupUnder(newKey()), newKey()];

    const refused = await backupUnder(key);
    const status = async () =>
      (await bodyOf<{ status: string }>(api(running.headers.get('location') ?? ''))).status;
    await expect.poll(status, { timeout: 30_000 }).toBe('stored');
    const accepted = await answerOf(await backupUnder(key));

    await expectProblem(refused, 409, 'backup_running');
    expect(accepted).toMatchObject({ answer: { status: 202 }, replayed: null });
  });

  it('what was answered once is answered also while storage is away, and what was not is so later', async () => {
    const [key, later, bytes] = [newKey(), newKey(), pngBytes()];
    const first = await answerOf(await sendForm(api, bytes, key));
    await app.services.azurite.stop();

    const again = await answerOf(await sendForm(api, bytes, key));
    const failed = await sendForm(api, bytes, later);
    await app.services.azurite.start();
    const ready = async () => (await api('/api/v1/health/ready')).status;
    await expect.poll(ready, { timeout: 20_000 }).toBe(200);
    const finished = await answerOf(await sendForm(api, bytes, later));

    expect(again).toEqual({ ...first, replayed: 'true' });
    await expectProblem(failed, 503, 'unavailable');
    expect(finished).toMatchObject({ answer: { status: 201 }, replayed: null });
    expect(finished.answer.location).not.toBe(first.answer.location);
  });

  it('keys that are over are removed by the timer', async () => {
    await uploadRaw(api, pngBytes(), newKey());
    const count = () =>
      inDatabase(async (db) => (await db.query('select from idempotency_keys')).rowCount, app.databaseUrl);
    const before = await count();
    await inDatabase(
      (db) =>
        db.query(`update idempotency_keys set claimed_until = now() - interval '2 days', expires_at = now()`),
      app.databaseUrl,
    );

    expect(before).toBeGreaterThan(0);
    await afterMaintenance(app.baseUrl, count).toBe(0);
  });
});
