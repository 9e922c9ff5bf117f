import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { type LocalHost, startLocalHost } from '../../../local/host/index.ts';
import { type Api, apiWith, apiWithToken, bodyOf, json } from '../../support/api.ts';
import { type App, startApp } from '../../support/app.ts';
import { crownsafe } from '../../support/crownsafe.ts';
import { claimsOf, sharedToken } from '../../support/jwt.ts';
import { startMisbehavingServer } from '../../support/misbehaving-server.ts';
import { startTelemetryEndpoint, type TelemetryEndpoint } from '../../support/telemetry-endpoint.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';
import { pngBytes, uploaded, uploadForm } from '../../support/uploads.ts';
import { type Planted, plantedKinds, randomText } from './kinds.ts';
import { plant, type Told } from './plant.ts';
import { leaks } from './search.ts';

/*
 * Secrets of more than twenty kinds, in settings, requests and errors of an app of its own, with the most talkative log there
 * is. None of them, whole or in part, in clear or in another coding, may stand in what the app says to anybody: log, problems,
 * metrics, spans, alerts, or words of commands.
 */

const stack = new AsyncDisposableStack();
const kinds = plantedKinds();
const secretKey = randomText(48);
const jwtSecret = randomText(48);
const bearerToken = sharedToken(claimsOf('anna', { scope: 'files:read' }), jwtSecret);
const token = randomText(40);
const slackPath = randomText(24);
const collectorKey = randomText(40);
const pagerDutyKey = randomText(32);
const lost = { password: randomText(32), storageKey: `${randomText(86)}==`, secretKey: randomText(48) };
const settings: Planted[] = [];
const alerts: string[] = [];
/** What was told by start-ups and commands that failed. */
const words: string[] = [];
const told: Told[] = [];
let telemetry: TelemetryEndpoint;
let app: App;
let api: Api;
let broken: { readonly host: LocalHost; readonly logLines: string[] };

const setting = (kind: string, core: string) => settings.push({ kind, text: core, core });

beforeAll(async () => {
  telemetry = stack.use(await startTelemetryEndpoint());
  const slack = stack.use(
    await startMisbehavingServer((request, response) => {
      request.setEncoding('utf8').on('data', (part: string) => alerts.push(part));
      request.on('end', () => response.writeHead(500).end(`no ${request.url}`));
    }),
  );
  app = await startApp(inject('appFolder'), {
    ...telemetry.environment,
    OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${collectorKey}`,
    SLACK_WEBHOOK_URL: `${slack.origin}/services/T0001/B0002/${slackPath}`,
    PAGERDUTY_SERVICE_KEY: pagerDutyKey,
    METRICS_TOKEN: token,
    SECRET_KEY: secretKey,
    JWT_SECRET: jwtSecret,
    LOG_LEVEL: 'debug',
    AZURE_LOG_LEVEL: 'verbose',
    DEBUG: '*',
  });
  stack.defer(() => app.stop());
  api = apiWith(app.adminKey, app.baseUrl);
  broken = await startBroken();
  const database = new URL(app.env['DATABASE_URL'] ?? '');
  setting('SECRET_KEY', secretKey);
  setting('JWT_SECRET', jwtSecret);
  setting('bearer token', bearerToken);
  setting('password in DATABASE_URL', decodeURIComponent(database.password));
  setting('key in AzureWebJobsStorage', /AccountKey=([^;]+)/.exec(app.storageConnectionString)?.[1] ?? '');
  setting('path of SLACK_WEBHOOK_URL', slackPath);
  setting('PAGERDUTY_SERVICE_KEY', pagerDutyKey);
  setting('METRICS_TOKEN', token);
  setting('OTEL_EXPORTER_OTLP_HEADERS', collectorKey);
  setting('secret of the API key', app.adminKey.slice(-43));
  setting('password that is refused', lost.password);
  setting('storage key that is refused', lost.storageKey);
  setting('SECRET_KEY of another app', lost.secretKey);
});
afterAll(() => stack.disposeAsync());

const brokenSettings = () => {
  const database = new URL(app.env['DATABASE_URL'] ?? '');
  database.password = lost.password;
  const storage = app.storageConnectionString.replace(/AccountKey=[^;]+/, `AccountKey=${lost.storageKey}`);
  return {
    ...app.env,
    SECRET_KEY: lost.secretKey,
    DATABASE_URL: database.href,
    AzureWebJobsStorage: storage,
  };
};

/** An app whose every credential is refused. */
async function startBroken() {
  const stateFolder = makeTemporaryFolder();
  stack.defer(() => rm(stateFolder, { recursive: true, force: true }));
  const logLines: string[] = [];
  const host = await startLocalHost({
    appFolder: inject('appFolder'),
    port: 0,
    env: { ...brokenSettings(), 'AzureWebJobs.jobs.Disabled': 'true' },
    stateFolder,
    log: (_, line) => logLines.push(line),
  });
  stack.defer(() => host.stop());
  return { host, logLines };
}

const keep = async (response: Response) => {
  const headers = [...response.headers].map((pair) => pair.join(': ')).join('\n');
  told.push({ status: response.status, headers, body: await response.text() });
};

/** All of the audit trail. */
async function auditTrail(): Promise<string> {
  const pages: string[] = [];
  for (let query = 'per_page=200'; ; ) {
    const response = await api(`/api/v1/audit?${query}`);
    const text = await response.text();
    expect(`${response.status} ${text}`).toMatch(/^200 /);
    pages.push(text);
    const { next_cursor: cursor }: { next_cursor: string | null } = JSON.parse(text);
    if (cursor === null) return pages.join('\n');
    query = `per_page=200&cursor=${cursor}`;
  }
}

/** Everything that was said, by whom; answers that succeeded belong to whoever asked. */
async function everything(): Promise<Record<string, string>> {
  const metrics = await (await api('/metrics')).text();
  const spans = telemetry.everything
    .split('\n')
    // Headers of the collector are for the collector.
    .filter((line) => !/^\/\S* \{.*\}$/.test(line));
  return {
    log: app.logLines.join('\n'),
    'log of the broken app': broken.logLines.join('\n'),
    problems: told.map(({ status, body }) => (status >= 400 ? body : '')).join('\n'),
    headers: told.map(({ headers }) => headers).join('\n'),
    metrics,
    spans: spans.join('\n'),
    alerts: alerts.join('\n'),
    words: words.join('\n'),
    'audit trail': await auditTrail(),
    'security audit': await (await api('/api/v1/monitoring/security-audit')).text(),
  };
}

describe('the search', () => {
  it.each([
    ['clear', (text: string) => text],
    ['a part', (text: string) => text.slice(7, 30)],
    ['capitals', (text: string) => text.toUpperCase()],
    ['hex', (text: string) => Buffer.from(text).toString('hex')],
    ['base64', (text: string) => Buffer.from(text).toString('base64')],
    ['base64 of more', (text: string) => Buffer.from(`user:${text}:x`).toString('base64')],
    [
      'percent',
      (text: string) => [...text].map((one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`).join(''),
    ],
  ])('finds a secret in %s', (_, code) => {
    const core = randomText(32);
    const planted = [{ kind: 'a secret', text: core, core }];

    expect(leaks(planted, { log: `before ${code(core)} after` })).toHaveLength(1);
    expect(leaks(planted, { log: randomText(100_000) })).toEqual([]);
  });
});

describe('secrets', () => {
  it('show nowhere when clients send them', async () => {
    const nobody = apiWith(undefined, app.baseUrl);
    await Promise.all(kinds.map(async (planted) => told.push(...(await plant(api, nobody, planted)))));

    expect(leaks(kinds, await everything())).toEqual([]);
    expect(kinds.length).toBeGreaterThanOrEqual(20);
    expect(new Set(told.map(({ status }) => status)).size).toBeGreaterThan(5);
    expect(told.filter(({ status }) => status >= 500)).toEqual([]);
    expect(app.logLines.length).toBeGreaterThan(told.length);
  });

  it('show nowhere when settings hold them and all goes well', async () => {
    const { id } = await uploaded(api);
    const { url } = await bodyOf<{ url: string }>(api('/api/v1/sas', json({ file_id: id, expires_in: 60 })));
    setting('signature of a link', new URL(url).searchParams.get('sig') ?? '');
    await keep(await apiWithToken({ token: bearerToken }, app.baseUrl)('/api/v1/files'));
    await keep(await apiWithToken({ token: bearerToken }, broken.host.url)('/api/v1/files'));
    await keep(await api('/metrics', { headers: { authorization: `Bearer ${token}` } }));
    await keep(await api('/api/v1/backups', { method: 'POST' }));
    await keep(await api('/api/v1/monitoring/test-alert', { method: 'POST' }));
    words.push(await crownsafe(app.env, 'audit', 'verify'));
    words.push(await crownsafe(app.env, 'doctor'));

    expect(leaks(settings, await everything())).toEqual([]);
  });

  it('show nowhere when credentials of the app are refused', async () => {
    const refused = apiWith(app.adminKey, broken.host.url);
    const headers = { 'x-request-timeout': '4', 'x-correlation-id': 'every-credential-is-refused' };
    for (const path of ['/api/v1/files', '/api/v1/health/ready', '/metrics', '/api/v1/jobs'])
      await keep(await refused(path, { headers }));
    await refused('/admin/functions/maintenance', json({ input: '' }));
    words.push(await crownsafe(brokenSettings(), 'keys', 'list'));
    words.push(await crownsafe(brokenSettings(), 'jobs', 'list'));
    words.push(await crownsafe(brokenSettings(), 'migrate', 'status'));
    words.push(await crownsafe(brokenSettings(), 'audit', 'verify'));
    words.push(await crownsafe(brokenSettings(), 'doctor'));

    expect(leaks(settings, await everything())).toEqual([]);
    expect(broken.logLines.join('\n')).toContain('every-credential-is-refused');
    expect(words.join('\n')).toMatch(/password authentication failed/);
  });

  it('show nowhere when dependencies are down', async () => {
    const { id } = await uploaded(api);
    const headers = { 'x-request-timeout': '3' };
    await app.services.azurite.stop();
    await keep(await api(`/api/v1/files/${id}`, { method: 'DELETE', headers }));
    await keep(await api(`/api/v1/files/${id}/content`, { headers }));
    await keep(await uploadForm(api, pngBytes()));
    await keep(await api('/api/v1/backups', { method: 'POST', headers }));
    await app.services.azurite.start();
    await app.services.postgres.stop();
    await keep(await api('/api/v1/files', { headers }));
    await keep(await api('/api/v1/health/ready', { headers }));
    await api('/admin/functions/backup-nightly', json({ input: '' }));
    words.push(await crownsafe(app.env, 'keys', 'list'));
    await vi.waitUntil(() => alerts.join('').includes('has failed'), { timeout: 60_000 });
    await app.services.postgres.start();
    const isBack = async () => (await api('/api/v1/audit')).status === 200;
    await vi.waitUntil(isBack, { timeout: 60_000, interval: 250 });

    const said = await everything();
    expect(told.filter(({ status }) => status >= 500).length).toBeGreaterThan(4);
    expect(leaks([...kinds, ...settings], said)).toEqual([]);
    // What was searched is what was to be searched.
    expect(said).toMatchObject({
      log: expect.stringContaining('"endpoint":"/api/v1/sas/batch"'),
      metrics: expect.stringContaining('http_requests_total{'),
      spans: expect.stringContaining('GET /api/v1/files/{id}/content'),
      alerts: expect.stringContaining('has failed'),
      words: expect.stringMatching(/rows under \d+ seals.*checks failed/s),
      'audit trail': expect.stringContaining('"action":"file.upload"'),
      'security audit': expect.stringContaining('"findings":'),
    });
  });

  it.each([
    ['SECRET_KEY', (secret: string) => secret.slice(0, 31)],
    ['DATABASE_URL', (secret: string) => `postgresql://app:${secret}@/crownsafe`],
    ['DATABASE_URL', (secret: string) => `mysql://app:${secret}@db/crownsafe`],
    ['DATABASE_URL', (secret: string) => `postgresql://app:${secret}%@db/crownsafe`],
    ['AzureWebJobsStorage', (secret: string) => `AccountKey=${secret}`],
    ['BACKUP_STORAGE_CONNECTION_STRING', (secret: string) => `AccountKey=${secret}==`],
    ['SLACK_WEBHOOK_URL', (secret: string) => `ftp://hooks.slack.com/services/T0/B0/${secret}`],
    ['SLACK_WEBHOOK_URL', (secret: string) => `https://user:${secret}@hooks.slack.com/services`],
    ['PAGERDUTY_SERVICE_KEY', (secret: string) => `${secret}!`],
    ['METRICS_TOKEN', (secret: string) => secret.slice(0, 15)],
    ['OTEL_EXPORTER_OTLP_HEADERS', (secret: string) => `x-key ${secret}`],
    ['APPLICATIONINSIGHTS_CONNECTION_STRING', (secret: string) => `InstrumentationKey=${secret}`],
    ['AZURE_STORAGE_ACCOUNT_KEY', (secret: string) => `${secret}?`],
    ['JWT_SECRET', (secret: string) => secret.slice(0, 31)],
    ['JWT_JWKS_URL', (secret: string) => `http://user:${secret}@issuer.example/keys`],
    ['CHAOS', (secret: string) => `blob:fault=${secret}`],
  ])('show nowhere when %s is not usable', async (name, write) => {
    const secret = randomText(40);
    const value = write(secret);
    // Some must be cut short to be wrong.
    const core = value.includes(secret) ? secret : value;
    const env = { ...app.env, [name]: value };
    const logLines: string[] = [];
    const starting = startLocalHost({
      appFolder: inject('appFolder'),
      port: 0,
      env,
      stateFolder: '',
      log: (_, line) => logLines.push(line),
    });
    const failure = await starting.then(
      (host) => host.stop().then(() => 'it has started'),
      (error: Error) => String(error.stack),
    );
    const said = await crownsafe(env, 'keys', 'list');

    expect(`${logLines.join('\n')}${failure}`).toContain(name);
    expect(said).toContain(name);
    expect(leaks([{ kind: name, text: value, core }], { failure, log: logLines.join('\n'), said })).toEqual(
      [],
    );
  });
});
