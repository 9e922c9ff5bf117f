import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startLocalHost } from '../../local/host/index.ts';
import { startWorker } from '../../local/host/worker-process.ts';
import { apiWith, bodyOf, json } from '../support/api.ts';
import { type App, startApp, testSecretKey } from '../support/app.ts';
import { startIdentityEndpoint } from '../support/identity-endpoint.ts';
import {
  type ReceivedSpan,
  startTelemetryEndpoint,
  type TelemetryEndpoint,
} from '../support/telemetry-endpoint.ts';
import { makeTemporaryFolder } from '../support/temporary-folder.ts';
import { pngBytes, uploaded } from '../support/uploads.ts';

const kind = { internal: 1, server: 2, client: 3, consumer: 5 };
const stack = new AsyncDisposableStack();
let telemetry: TelemetryEndpoint;
let app: App;

beforeAll(async () => {
  telemetry = stack.use(await startTelemetryEndpoint());
  const identity = stack.use(await startIdentityEndpoint());
  app = await startApp(inject('appFolder'), {
    ...telemetry.environment,
    ...identity.environment,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD',
  });
  stack.defer(() => app.stop());
});
afterAll(() => stack.disposeAsync());

/** A trace of a caller; the trace flags say that it is kept. */
function newTrace() {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}

/** A client whose requests belong to one trace. */
function apiInTrace(traceparent: string) {
  const api = apiWith(app.adminKey, app.baseUrl);
  const call = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set('traceparent', traceparent);
    return api(path, { ...init, headers });
  };
  return Object.assign(call, { key: api.key, callerId: api.callerId });
}

const spansOf = (traceId: string) => telemetry.spans.filter((span) => span.traceId === traceId);

async function spanNamed(name: string, traceId: string): Promise<ReceivedSpan> {
  const find = () => spansOf(traceId).find((span) => span.name === name);
  await expect.poll(find, { timeout: 20_000 }).toBeDefined();
  return find() as ReceivedSpan;
}

describe('a traced upload', () => {
  it('is one trace from the edge to SQL and blobs, at both destinations', async () => {
    const { traceId, spanId, traceparent } = newTrace();

    await uploaded(apiInTrace(traceparent));

    const root = await spanNamed('POST /api/v1/uploads', traceId);
    expect(root).toMatchObject({ kind: kind.server, parentSpanId: spanId, statusCode: 0 });
    expect(root.attributes).toMatchObject({
      'faas.trigger': 'http',
      'http.request.method': 'POST',
      'http.route': '/api/v1/uploads',
      'http.response.status_code': 201,
      correlation_id: traceId,
    });
    const inside = spansOf(traceId).filter((span) => span !== root);
    const ids = spansOf(traceId).map((span) => span.spanId);
    expect(inside.filter(({ parentSpanId }) => !ids.includes(parentSpanId ?? ''))).toEqual([]);
    expect(inside.filter((span) => span.kind !== kind.client)).toEqual([]);
    const direct = inside.filter(({ parentSpanId }) => parentSpanId === root.spanId).map(({ name }) => name);
    expect(direct).toEqual(
      expect.arrayContaining(['SELECT api_keys', 'INSERT files', 'COMMIT', 'UPDATE files']),
    );
    expect(inside.find(({ name }) => name === 'INSERT files')?.attributes).toMatchObject({
      'db.system.name': 'postgresql',
      'db.operation.name': 'INSERT',
      'db.collection.name': 'files',
      'db.query.text': expect.stringMatching(/^insert into "files" \(.+\) values \(\$1, /),
      correlation_id: traceId,
    });
    expect(inside.find(({ name }) => name.startsWith('blob '))?.attributes).toMatchObject({
      'crownsafe.storage.container': 'crownsafe-images',
      'http.response.status_code': 201,
    });

    const isHere = () =>
      telemetry.items
        .filter(({ tags }) => tags['ai.operation.id'] === traceId)
        .map(({ data: { baseType, baseData } }) => `${baseType} ${baseData.type ?? ''} ${baseData.name}`);
    await expect
      .poll(isHere, { timeout: 20_000 })
      .toEqual(
        expect.arrayContaining([
          'RequestData  POST /api/v1/uploads',
          'RemoteDependencyData postgresql INSERT files',
        ]),
      );
    const statement = telemetry.items
      .map(({ data: { baseData } }) => baseData)
      .find(({ name, type }) => type === 'postgresql' && name === 'INSERT files');
    expect(statement?.data).toMatch(/^insert into "files" /);
    expect(JSON.stringify(statement?.properties)).not.toContain('insert into');
    expect([...telemetry.authorizations]).toEqual([expect.stringMatching(/^Bearer eyJ/)]);
  });

  it('has its ids in the log lines', async () => {
    const { traceId, traceparent } = newTrace();

    await uploaded(apiInTrace(traceparent));

    const root = await spanNamed('POST /api/v1/uploads', traceId);
    const line = app.logLines.find((text) => text.includes(traceId) && text.includes('request answered'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ trace_id: traceId, span_id: root.spanId });
  });

  it('ignores a trace that is malformed', async () => {
    const id = `malformed-${randomBytes(8).toString('hex')}`;
    const api = apiWith(app.adminKey, app.baseUrl);

    await api('/api/v1/files', { headers: { traceparent: '00-zz-zz-01', 'x-correlation-id': id } });

    const mine = () => telemetry.spans.find(({ attributes }) => attributes['correlation_id'] === id);
    await expect
      .poll(mine, { timeout: 20_000 })
      .toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
  });
});

describe('a job', () => {
  it('goes on in the trace of the request that asked for it', async () => {
    const { traceId, traceparent } = newTrace();

    const accepted = await apiInTrace(traceparent)('/api/v1/backups', { method: 'POST' });

    expect(accepted.status).toBe(202);
    const request = await spanNamed('POST /api/v1/backups', traceId);
    const job = await spanNamed('process jobs', traceId);
    expect(job).toMatchObject({ kind: kind.consumer, statusCode: 0, links: [] });
    expect(job.attributes).toMatchObject({ 'faas.trigger': 'pubsub', 'messaging.destination.name': 'jobs' });
    const sent = spansOf(traceId).find(({ name }) => name === 'queue send message');
    expect(sent?.parentSpanId).toBe(request.spanId);
    expect(spansOf(traceId).filter(({ parentSpanId }) => parentSpanId === job.spanId).length).toBeGreaterThan(
      3,
    );
  });
});

describe('telemetry', () => {
  it('brings the metrics to both', async () => {
    await uploaded(apiWith(app.adminKey, app.baseUrl));

    await expect.poll(() => telemetry.metricNames, { timeout: 20_000 }).toContain('http_requests_total');
    const inInsights = () =>
      telemetry.items.flatMap(({ data }) => data.baseData.metrics?.map(({ name }) => name) ?? []);
    await expect.poll(inInsights, { timeout: 20_000 }).toContain('http_requests_total');
  });

  it('holds no secret', async () => {
    const { traceId, traceparent } = newTrace();
    const api = apiInTrace(traceparent);
    const { id, blob } = await uploaded(api, pngBytes(), { name: 'secret-name.png' });
    const { url } = await bodyOf<{ url: string }>(api('/api/v1/sas', json({ file_id: id, expires_in: 60 })));
    await api('/api/v1/files?name=secret-query');
    await api(`/api/v1/files/${id}/content`);
    await spanNamed('GET /api/v1/files/{id}/content', traceId);

    const storageKey = /AccountKey=([^;]+)/.exec(app.storageConnectionString)?.[1] ?? '';
    const secrets = {
      apiKey: app.adminKey.split('_').slice(2).join('_'),
      signature: new URL(url).searchParams.get('sig') ?? '',
      encodedSignature: encodeURIComponent(new URL(url).searchParams.get('sig') ?? ''),
      storageKey,
      databasePassword: decodeURIComponent(new URL(app.databaseUrl).password),
      secretKey: testSecretKey,
      fileName: 'secret-name',
      query: 'secret-query',
      blobName: blob.name,
    };
    const { everything } = telemetry;
    expect(everything).toContain(traceId);
    expect(everything).toContain('key of the collector');
    expect(Object.entries(secrets).filter(([, value]) => value.length < 6)).toEqual([]);
    expect(
      Object.keys(secrets).filter((name) => everything.includes(secrets[name as keyof typeof secrets])),
    ).toEqual([]);
    expect(everything).not.toMatch(/sig=|AccountKey=|\bcsk_\w+_/);
  });
});

function makeFolder(): string {
  const folder = makeTemporaryFolder();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Settings of one more app, on the services of the first. */
function environmentWith(environment: Readonly<Record<string, string>>) {
  return {
    PATH: process.env['PATH'] ?? '',
    ENVIRONMENT: 'test',
    SECRET_KEY: testSecretKey,
    AzureWebJobsStorage: app.storageConnectionString,
    DATABASE_URL: app.databaseUrl,
    'AzureWebJobs.jobs.Disabled': 'true',
    ...environment,
  };
}

/** The built app without a host, so that the end of an invocation can be seen. */
async function workerWith(environment: Readonly<Record<string, string>>) {
  const logLines: string[] = [];
  const worker = await startWorker({
    appFolder: inject('appFolder'),
    port: 0,
    stateFolder: '',
    env: environmentWith(environment),
    log: (_, line) => logLines.push(line),
  });
  stack.defer(() => worker.terminate());
  const runTimer = async (name: string) => {
    const fn = worker.functions.find((one) => one.name === name);
    if (!fn) throw new Error(`there is no ${name}`);
    await worker.invoke(fn, { json: '{"IsPastDue":false}' }, {});
  };
  return { worker, logLines, runTimer };
}

describe('an app that ends', () => {
  it('sends what it still has', async () => {
    const endpoint = stack.use(await startTelemetryEndpoint());
    const host = await startLocalHost({
      appFolder: inject('appFolder'),
      port: 0,
      stateFolder: makeFolder(),
      env: environmentWith(endpoint.environment),
      log: () => {},
    });
    await uploaded(apiWith(app.adminKey, host.url));

    await host.stop();

    expect(endpoint.spans.map(({ name }) => name)).toContain('POST /api/v1/uploads');
  });
});

describe('a timer', () => {
  it('has sent all its spans when it ends', async () => {
    const endpoint = stack.use(await startTelemetryEndpoint());
    const { runTimer } = await workerWith(endpoint.environment);

    await runTimer('maintenance');

    const [root] = endpoint.spans.filter(({ name }) => name === 'maintenance');
    expect(root).toMatchObject({ kind: kind.internal, attributes: { 'faas.trigger': 'timer' } });
    const children = endpoint.spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
    expect(children.map(({ name }) => name)).toEqual(expect.arrayContaining(['SELECT files']));
    expect(endpoint.metricNames).toContain('app_uptime_seconds');
  });
});

describe('an endpoint that never answers', () => {
  it('keeps no answer waiting, not even the first', async () => {
    const silent = stack.use(await startTelemetryEndpoint());
    let asked = 0;
    silent.behave(() => {
      asked += 1;
    });
    const host = await startLocalHost({
      appFolder: inject('appFolder'),
      port: 0,
      stateFolder: makeFolder(),
      env: environmentWith(silent.environment),
      log: () => {},
    });
    stack.defer(() => host.stop());
    const api = apiWith(app.adminKey, host.url);

    const startedMs = performance.now();
    await uploaded(api);
    const firstMs = performance.now() - startedMs;
    const askedBefore = asked;
    await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(0);
    const againMs = performance.now();
    await uploaded(api);
    const secondMs = performance.now() - againMs;

    expect(askedBefore).toBe(0);
    expect(firstMs).toBeLessThan(3_500);
    expect(secondMs).toBeLessThan(1_500);
  });

  it('keeps a timer waiting for one timeout only', async () => {
    const silent = stack.use(await startTelemetryEndpoint());
    silent.behave(() => {});
    const { runTimer, logLines } = await workerWith(silent.environment);

    const startedMs = performance.now();
    await runTimer('maintenance');
    const firstMs = performance.now() - startedMs;
    const againMs = performance.now();
    await runTimer('maintenance');
    const secondMs = performance.now() - againMs;

    expect(firstMs).toBeGreaterThan(3_900);
    expect(firstMs).toBeLessThan(10_000);
    expect(secondMs).toBeLessThan(3_000);
    const warnings = logLines.filter((line) => line.includes('telemetry could not be sent'));
    expect(warnings.map((line) => JSON.parse(line).destination).sort()).toEqual(['azure-monitor', 'otlp']);
  });
});
