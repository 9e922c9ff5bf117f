import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startLocalHost } from '../../local/host/index.ts';
import { type Api, adminApi, apiWith, bodyOf, expectProblem, json, newCaller } from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';
import { makeTemporaryFolder } from '../support/temporary-folder.ts';
import { pngBytes, uploadForm } from '../support/uploads.ts';

interface Breaker {
  readonly name: string;
  readonly state: string;
  readonly mode: string;
  readonly set_by: string | null;
}

const breakers = '/api/v1/monitoring/breakers';

const listed = async (api: Api, name: string) =>
  (await bodyOf<{ data: Breaker[] }>(api(breakers))).data.find((breaker) => breaker.name === name);

describe('the list of circuit breakers', () => {
  it('is for who may monitor', async () => {
    const response = await (await newCaller('monitoring:read'))(breakers);
    const refused = await (await newCaller('files:read'))(breakers);

    expect(response.status).toBe(200);
    const { data } = await bodyOf<{ data: Breaker[] }>(response);
    expect(data.map(({ name }) => name)).toEqual(expect.arrayContaining(['blob', 'table', 'postgres']));
    await expectProblem(refused, 403, 'forbidden');
  });
});

describe('setting a circuit breaker', () => {
  it('is for admins', async () => {
    const api = await newCaller('monitoring:read');

    await expectProblem(await api(`${breakers}/blob`, json({ state: 'open' })), 403, 'forbidden');
    await expectProblem(await apiWith()(`${breakers}/blob`, json({ state: 'open' })), 401, 'unauthorized');
  });

  it.each([[{ state: 'ajar' }], [{}], [{ state: 'open', until: 'tomorrow' }]])(
    'is refused with %j',
    async (body) => {
      await expectProblem(await adminApi()(`${breakers}/blob`, json(body)), 422, 'validation_failed');
    },
  );

  it.each(['nothing', 'table-control', 'webhook%3A', 'webhook%3Aa%20b'])('knows no %s', async (name) => {
    await expectProblem(await adminApi()(`${breakers}/${name}`, json({ state: 'open' })), 404, 'not_found');
  });

  it('takes the name of a host', async () => {
    const api = adminApi();

    const response = await api(`${breakers}/webhook:hooks.example`, json({ state: 'open' }));
    const stored = await listed(api, 'webhook:hooks.example');
    await api(`${breakers}/webhook:hooks.example`, json({ state: 'auto' }));

    expect(response.status).toBe(200);
    expect(stored).toMatchObject({ state: 'open', mode: 'open', set_by: api.callerId });
    expect(await listed(api, 'webhook:hooks.example')).toMatchObject({ state: 'closed', mode: 'auto' });
  });
});

/* With a stack of its own, because other tests need the breakers that it opens. */
describe('a breaker that an operator has opened', () => {
  let app: App;
  let api: Api;
  const set = (name: string, state: string) => api(`${breakers}/${name}`, json({ state }));

  beforeAll(async () => {
    app = await startApp(inject('appFolder'));
    api = apiWith(app.adminKey, app.baseUrl);
  });
  afterAll(() => app.stop());

  it('rejects every call with 503 until it is released, and the log tells who did it', async () => {
    await set('blob', 'open');
    const held = await uploadForm(api, pngBytes());
    await set('blob', 'auto');

    expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(0);
    await expectProblem(held, 503, 'unavailable');
    expect((await uploadForm(api, pngBytes())).status).toBe(201);
    const lines = app.logLines.filter((line) => line.includes('order of an operator for a circuit breaker'));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ dependency: 'blob', by: api.callerId, before: 'auto', after: 'open' }),
      expect.objectContaining({ dependency: 'blob', by: api.callerId, before: 'open', after: 'auto' }),
    ]);
    expect(await (await api('/metrics')).text()).toMatch(
      /resilience_breaker_mode_changes_total\{[^}]*mode="open"[^}]*\} 1/,
    );
  });

  it('of the table does not lock itself', async () => {
    expect((await set('table', 'open')).status).toBe(200);
    await expectProblem(await api('/api/v1/backups'), 503, 'unavailable');

    expect((await set('table', 'closed')).status).toBe(200);
    expect((await api('/api/v1/backups')).status).toBe(200);
    expect(await listed(api, 'table')).toMatchObject({ state: 'closed', mode: 'closed' });
  });

  it('of the database does not keep out who releases it', async () => {
    expect((await set('postgres', 'open')).status).toBe(200);
    await expectProblem(await api('/api/v1/files'), 503, 'unavailable');

    expect((await set('postgres', 'auto')).status).toBe(200);
    expect((await api('/api/v1/files')).status).toBe(200);
  });

  it('is followed by another instance within ten seconds, also by one that starts later', async () => {
    await using other = await startAnother(app);
    expect((await uploadForm(other.api, pngBytes())).status).toBe(201);

    await set('blob', 'open');

    const statusThere = async () => (await uploadForm(other.api, pngBytes())).status;
    await expect.poll(statusThere, { timeout: 10_000, interval: 500 }).toBe(503);
    await using late = await startAnother(app);
    const statusLate = async () => (await uploadForm(late.api, pngBytes())).status;
    await expect.poll(statusLate, { timeout: 10_000, interval: 500 }).toBe(503);
    await set('blob', 'auto');
    await expect.poll(statusThere, { timeout: 10_000, interval: 500 }).toBe(201);
  }, 60_000);
});

/** Another instance of the app, on the same services. */
async function startAnother(app: App): Promise<AsyncDisposable & { readonly api: Api }> {
  const folder = makeTemporaryFolder();
  const host = await startLocalHost({
    appFolder: inject('appFolder'),
    port: 0,
    env: app.env,
    stateFolder: folder,
    log: () => {},
  });
  return {
    api: apiWith(app.adminKey, host.url),
    async [Symbol.asyncDispose]() {
      await host.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
