import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { startLocalHost } from '../../local/host/index.ts';
import { createKeyring, newApiKey } from '../../src/lib/security/index.ts';
import { type Api, apiWith, bodyOf, expectProblem, inDatabase } from '../support/api.ts';
import { type App, startApp, testSecretKey } from '../support/app.ts';
import { makeTemporaryFolder } from '../support/temporary-folder.ts';
import { pngBytes, uploadForm } from '../support/uploads.ts';

let app: App;

/** Two hops: whatever calls in these tests is a proxy of ours, and vouches for the address that it names. */
beforeAll(async () => {
  app = await startApp(inject('appFolder'), { ENVIRONMENT: 'development', TRUSTED_PROXY_HOPS: '2' });
});
afterAll(() => app.stop());

const from = (...addresses: string[]) => ({ headers: { 'x-forwarded-for': addresses.join(', ') } });
/** A key that nobody has, for an app with the same secret. */
const madeUpKey = () => newApiKey(createKeyring(testSecretKey)).text;
const statusOf = async (response: Response | Promise<Response>) => (await response).status;

async function tally(answers: Iterable<Promise<Response>>): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of await Promise.all(answers)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

describe('a limit', () => {
  it('holds back who shows no credential, whatever address it makes up', async () => {
    const nobody = apiWith(undefined, app.baseUrl);
    const forged = (index: number) => from(`198.51.100.${index}`, '203.0.113.1:4711');

    const counts = await tally(times(70, (index) => nobody('/api/v1/files', forged(index))));
    const refused = await nobody('/api/v1/files', forged(71));
    const elsewhere = await nobody('/api/v1/files', from('203.0.113.2'));

    expect(counts[401]).toBeGreaterThanOrEqual(60);
    expect(counts[429]).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-policy')).toBe('"address";q=60;w=60');
    expect(refused.headers.get('ratelimit')).toBe('"address";r=0;t=1');
    expect(refused.headers.get('retry-after')).toBe('1');
    await expectProblem(refused, 429, 'rate_limited');
    await expectProblem(elsewhere, 401, 'unauthorized');
    const metrics = await (await apiWith(app.adminKey, app.baseUrl)('/metrics')).text();
    expect(metrics).toMatch(/^rate_limited_total\{policy="address",[^}]*\} [1-9]/m);
    expect(metrics).toMatch(/^http_requests_total\{[^}]*status="429"[^}]*\} [1-9]/m);
  });

  it('of callers and uploads is told, and not for health, metrics and preflights', async () => {
    const admin = apiWith(app.adminKey, app.baseUrl);

    const list = await admin('/api/v1/files');
    const upload = await uploadForm(admin, pngBytes());
    const unlimited = await Promise.all([
      admin('/health'),
      admin('/api/healthz'),
      admin('/metrics'),
      admin('/api/v1/files', { method: 'OPTIONS' }),
    ]);

    expect(list.headers.get('ratelimit-policy')).toBe('"caller";q=600;w=60');
    expect(upload.headers.get('ratelimit-policy')).toBe('"caller";q=600;w=60, "uploads";q=120;w=60');
    expect(upload.headers.get('ratelimit')).toMatch(/^"caller";r=5\d\d;t=1, "uploads";r=119;t=1$/);
    for (const { headers, status } of unlimited) {
      expect(status).toBeLessThan(300);
      expect(headers.has('ratelimit')).toBe(false);
    }
  });
});

describe('failed credentials', () => {
  /** Another instance on the same services. */
  async function startBeside(): Promise<string> {
    const stateFolder = makeTemporaryFolder();
    const host = await startLocalHost({
      appFolder: inject('appFolder'),
      port: 0,
      env: app.env,
      stateFolder,
      log: () => {},
    });
    onTestFinished(async () => {
      await host.stop();
      await rm(stateFolder, { recursive: true, force: true });
    });
    return host.url;
  }

  it('are counted exactly over two instances, and shut the good ones there out, too', async () => {
    const urls = [app.baseUrl, await startBeside()];
    const address = from('203.0.113.10');
    const good = urls.map((url) => apiWith(app.adminKey, url));
    for (const api of good) expect(await statusOf(api('/api/v1/files', address))).toBe(200);

    const counts = await tally(
      times(200, (index) => apiWith(madeUpKey(), urls[index % 2])('/api/v1/files', address)),
    );
    const held = await Promise.all(good.map((api) => api('/api/v1/files', address)));
    const elsewhere = await good[0]?.('/api/v1/files', from('203.0.113.11'));

    expect(counts).toEqual({ 401: 20, 429: 180 });
    expect(elsewhere?.status).toBe(200);
    // The instance that refused the twentieth knows at once; the other one has refused its share by asking.
    for (const answer of held) await expectProblem(answer, 429, 'too_many_failures');
    expect(Number(held[0]?.headers.get('retry-after'))).toBeGreaterThan(800);
    expect(app.logLines.join('\n')).not.toContain('203.0.113.10');
  });

  it('are counted for a key, from wherever they come', async () => {
    const wrong = apiWith(madeUpKey(), app.baseUrl);

    const counts = await tally(times(50, (index) => wrong('/api/v1/files', from(`192.0.2.${index}`))));

    expect(counts).toEqual({ 401: 20, 429: 30 });
    const rows = await inDatabase(
      (client) => client.query('select 1 from credential_failures where blocked_until > now()'),
      app.databaseUrl,
    );
    expect(rows.rowCount).toBeGreaterThanOrEqual(2);
  });

  it('are none where no credential was shown', async () => {
    const nobody = apiWith(undefined, app.baseUrl);

    const counts = await tally(times(30, () => nobody('/api/v1/files', from('203.0.113.20'))));
    const admin: Api = apiWith(app.adminKey, app.baseUrl);

    expect(counts).toEqual({ 401: 30 });
    expect(await statusOf(admin('/api/v1/files', from('203.0.113.20')))).toBe(200);
  });

  it('stay 401 when the database is gone, and let nobody in', async () => {
    const blocked = from('203.0.113.30');
    const bad = () => apiWith('no key at all', app.baseUrl)('/api/v1/files', blocked);
    await tally(times(20, bad));
    await app.services.postgres.stop();
    onTestFinished(() => app.services.postgres.start());

    const still = await apiWith(app.adminKey, app.baseUrl)('/api/v1/files', blocked);
    const fresh = await apiWith('no key at all', app.baseUrl)('/api/v1/files', from('203.0.113.31'));
    const good = await apiWith(app.adminKey, app.baseUrl)('/api/v1/files', from('203.0.113.31'));

    await expectProblem(still, 429, 'too_many_failures');
    await expectProblem(fresh, 401, 'unauthorized');
    expect((await bodyOf<{ code: string }>(good)).code).toBe('unavailable');
  });
});
