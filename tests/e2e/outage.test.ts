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
import { pngBytes, uploaded, uploadForm } from '../support/uploads.ts';

/* A stack of its own, because its services are stopped under the running app. */

let app: App;
let api: Api;

beforeAll(async () => {
  app = await startApp(inject('appFolder'));
  api = apiWith(app.adminKey, app.baseUrl);
});
afterAll(() => app.stop());

/** The answer must come inside the client's own deadline. */
const inTime = { 'x-request-timeout': '15' };

async function untilReady(): Promise<number> {
  const startedAt = performance.now();
  await expectEventually(200, () => api('/api/v1/health/ready'));
  return performance.now() - startedAt;
}

async function expectUnavailable(response: Response): Promise<void> {
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  await expectProblem(response, 503, 'unavailable');
}

async function expectNotReady(name: string): Promise<void> {
  const response = await api('/api/v1/health/ready');
  const { status, checks } = await bodyOf<{ status: string; checks: { name: string; status: string }[] }>(
    response,
  );
  expect([response.status, status, response.headers.get('retry-after')]).toEqual([503, 'unavailable', '5']);
  expect(checks.find((check) => check.name === name)?.status).toBe('failed');
}

describe('the log', () => {
  it('tells of each request by its correlation id, also when the answer is a stream, and shows no secret', async () => {
    const { id } = await uploaded(api);
    const correlationId = `test-${id}`;

    const response = await api(`/api/v1/files/${id}/content`, {
      headers: { 'x-correlation-id': correlationId },
    });
    await response.arrayBuffer();

    const lines = () =>
      app.logLines.filter((line) => line.includes(correlationId)).map((line) => JSON.parse(line));
    await expect.poll(lines).toEqual([
      expect.objectContaining({
        level: 'info',
        message: 'request answered',
        function: 'files-content',
        endpoint: '/api/v1/files/{id}/content',
        status: 200,
        user_id: expect.stringMatching(/^key:/),
        resource: `files/${id}`,
        duration_ms: expect.any(Number),
      }),
    ]);
    const secret = app.adminKey.slice(-43);
    expect(app.logLines.filter((line) => line.includes(secret) || line.includes('sig='))).toEqual([]);
  });
});

describe('the database', () => {
  it('is reached as the login of the app only, which can take a backup', async () => {
    await uploaded(api);
    const backup = await api('/api/v1/backups', { method: 'POST' });
    const address = backup.headers.get('location') ?? '';
    await expect
      .poll(async () => (await bodyOf<{ status: string }>(api(address))).status, { timeout: 20_000 })
      .toBe('stored');

    const { rows } = await inDatabase(
      (db) =>
        db.query(
          `select distinct usename from pg_stat_activity where application_name in ('crownsafe', 'pg_dump')`,
        ),
      app.databaseUrl,
    );

    expect(rows).toEqual([{ usename: 'crownsafe' }]);
  });
});

describe('without PostgreSQL', () => {
  it('lives, is not ready, answers 503 in time, and recovers by itself', async () => {
    await uploaded(api);
    await app.services.postgres.stop();

    expect((await api('/health')).status).toBe(200);
    const startedAt = performance.now();
    const scrape = await api('/metrics');
    expect(scrape.status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(await scrape.text()).not.toContain('azure_blob_storage_bytes{');
    await expectNotReady('database');
    const correlationId = 'test-a-request-without-postgres';
    const headers = { ...inTime, 'x-correlation-id': correlationId };
    await expectUnavailable(await api('/api/v1/files', { headers }));
    await expectUnavailable(await uploadForm(api, pngBytes()));
    await app.services.postgres.start();
    await untilReady();

    const told = app.logLines.filter((line) => line.includes(correlationId)).map((line) => JSON.parse(line));
    const kept = told.findIndex(({ level }) => level === 'debug');
    expect(told.slice(kept)).toEqual([
      expect.objectContaining({
        message: 'a call has ended',
        dependency: 'postgres',
        outcome: 'unavailable',
        duration_ms: expect.any(Number),
      }),
      expect.objectContaining({ level: 'error', message: 'request failed', status: 503 }),
    ]);
    expect(told[kept].timestamp <= told[kept + 1].timestamp).toBe(true);

    expect((await uploadForm(api, pngBytes())).status).toBe(201);
    expect((await api('/api/v1/reports/upload-activity')).status).toBe(200);
  });
});

describe('without storage', () => {
  it('lives, is not ready, answers 503 in time, and recovers by itself', async () => {
    const { id } = await uploaded(api);
    await app.services.azurite.stop();

    expect((await api('/health')).status).toBe(200);
    await expectNotReady('blob');
    await expectUnavailable(await uploadForm(api, pngBytes()));
    await expectUnavailable(await api(`/api/v1/files/${id}/content`, { headers: inTime }));
    await expectUnavailable(await api('/api/v1/backups', { method: 'POST' }));
    expect((await api(`/api/v1/files/${id}`)).status).toBe(200);
    await app.services.azurite.start();
    await untilReady();

    expect((await uploadForm(api, pngBytes())).status).toBe(201);
    const link = await bodyOf<{ url: string }>(api('/api/v1/sas', json({ file_id: id })));
    expect((await fetch(link.url)).status).toBe(200);
    await expectEventually(202, () => api('/api/v1/backups', { method: 'POST' }));
  });

  it('calls no file available whose bytes could not be stored, and tidies it away later', async () => {
    await app.services.azurite.stop();
    await uploadForm(api, pngBytes());
    await app.services.azurite.start();
    await untilReady();
    const pending = await listed('pending');
    await inDatabase(
      (db) => db.query("update files set created_at = created_at - interval '1 day'"),
      app.databaseUrl,
    );

    for (const id of pending)
      await expectProblem(await api(`/api/v1/files/${id}/content`), 409, 'file_not_available');
    for (const id of await listed('available'))
      expect((await api(`/api/v1/files/${id}/content`)).status).toBe(200);

    expect(pending.length).toBeGreaterThan(0);
    await afterMaintenance(app.baseUrl, () => listed('pending')).toEqual([]);
  });
});

async function listed(status: string): Promise<string[]> {
  const list = await bodyOf<{ data: { id: string }[] }>(api(`/api/v1/files?per_page=200&status=${status}`));
  return list.data.map(({ id }) => id);
}

/** Breakers of endpoints that no health check asks half-open after a minute at the latest. */
async function expectEventually(status: number, ask: () => Promise<Response>): Promise<void> {
  const askAndRead = async () => {
    const response = await ask();
    return `${response.status} ${await response.text()}`;
  };
  await expect.poll(askAndRead, { timeout: 20_000, interval: 250 }).toMatch(new RegExp(`^${status} `));
}
