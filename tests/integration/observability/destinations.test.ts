import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { SpanKind } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  azureMonitorDestination,
  type Destination,
  otlpDestination,
} from '../../../src/lib/observability/index.ts';
import {
  type Answer,
  type MisbehavingServer,
  startMisbehavingServer,
} from '../../support/misbehaving-server.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';

/* The SDKs themselves, against servers that behave as badly as an ingestion endpoint can. */

// The exporter of Azure would send statistics about itself to Microsoft.
vi.stubEnv('APPLICATION_INSIGHTS_NO_STATSBEAT', 'true');

const trusted = getCACertificates('default');
const selfSigned = makeSelfSigned();
setDefaultCACertificates([...trusted, selfSigned.certificate]);
afterAll(() => {
  vi.unstubAllEnvs();
  setDefaultCACertificates(trusted);
});

let answer: Answer;
let server: MisbehavingServer;
let secureServer: MisbehavingServer;

beforeEach(async () => {
  answer = (request, response) => {
    request.resume();
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"itemsReceived":1,"itemsAccepted":1,"errors":[]}');
  };
  server = await startMisbehavingServer((...call) => answer(...call));
  secureServer = await startMisbehavingServer((...call) => answer(...call), selfSigned);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await secureServer[Symbol.asyncDispose]();
});

const connectionString = () =>
  `InstrumentationKey=00000000-0000-4000-8000-000000000001;IngestionEndpoint=${secureServer.origin}/`;
const destinations: Readonly<Record<string, () => Destination>> = {
  'Application Insights': () => azureMonitorDestination({ connectionString: connectionString() }),
  'a collector': () => otlpDestination({ endpoint: server.origin, headers: {} }),
};

function spans(): ReadableSpan[] {
  const ended: ReadableSpan[] = [];
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'test' }),
    spanProcessors: [
      {
        onStart() {},
        onEnd: (span) => void ended.push(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const attributes = {
    'db.system.name': 'postgresql',
    'db.query.text': 'select ?',
    'db.namespace': 'crownsafe',
  };
  provider.getTracer('test').startSpan('SELECT files', { kind: SpanKind.CLIENT, attributes }).end();
  provider
    .getTracer('test')
    .startSpan('GET /a', { attributes: { 'http.request.method': 'GET' } })
    .end();
  return ended;
}

const descriptor = { name: 'things_total', description: '', unit: '', type: 'COUNTER', valueType: 1 };
const dataPoint = { startTime: [1, 0], endTime: [2, 0], attributes: { a: 'b' }, value: 3 };
const things = {
  descriptor,
  dataPointType: 3,
  aggregationTemporality: 0,
  isMonotonic: true,
  dataPoints: [dataPoint],
};
const metrics = {
  resource: resourceFromAttributes({}),
  scopeMetrics: [{ scope: { name: 's' }, metrics: [things] }],
} as unknown as ResourceMetrics;
const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answer =>
  (request, response) => {
    request.resume();
    response.writeHead(code, headers).end(body);
  };
const seen = () => [...server.requests, ...secureServer.requests];

describe.each(Object.keys(destinations))('%s', (name) => {
  const open = () => destinations[name]?.().open() ?? Promise.reject(new Error(name));
  const signal = AbortSignal.timeout(20_000);

  it('takes spans', async () => {
    const { sendSpans } = await open();

    await expect(sendSpans(spans(), signal)).resolves.toBeUndefined();

    expect(seen().length).toBe(1);
  });

  it('takes metrics', async () => {
    const { sendMetrics } = await open();

    await expect(sendMetrics(metrics, signal)).resolves.toBeUndefined();

    expect(seen().map(({ url }) => url)).toEqual([expect.stringMatching(/^\/v2\.1\/track|^\/v1\/metrics$/)]);
  });

  it.each([400, 401, 403, 404, 413])(
    'is heard when it refuses with %i, and not asked again',
    async (code) => {
      const { sendSpans } = await open();
      answer = status(code);

      await expect(sendSpans(spans(), signal)).rejects.toThrow();

      expect(seen().length).toBe(1);
    },
  );

  it.each([429, 503])('is heard when it has no room (%i), and asked a few times at most', async (code) => {
    const { sendSpans } = await open();
    answer = status(code, { 'retry-after': '600' });

    await expect(sendSpans(spans(), signal)).rejects.toThrow();

    expect(seen().length).toBe(1);
  });

  it('is heard when it breaks the connection', async () => {
    const { sendSpans } = await open();
    answer = (request) => request.destroy();

    await expect(sendSpans(spans(), signal)).rejects.toThrow();

    expect(seen().length).toBeLessThanOrEqual(5);
  });

  it('can be gone', async () => {
    const { sendSpans } = await open();
    await server[Symbol.asyncDispose]();
    await secureServer[Symbol.asyncDispose]();

    await expect(sendSpans(spans(), signal)).rejects.toThrow();
  });

  it('is given up when it does not answer', async () => {
    const { sendSpans } = await open();
    answer = () => {};
    const startedMs = performance.now();

    await expect(sendSpans(spans(), AbortSignal.timeout(1_000))).rejects.toThrow();

    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('takes more after a failure', async () => {
    const { sendSpans } = await open();
    const good = answer;
    answer = status(400);
    await sendSpans(spans(), signal).catch(() => {});

    answer = good;

    await expect(sendSpans(spans(), signal)).resolves.toBeUndefined();
  });
});

describe('Application Insights', () => {
  const signal = AbortSignal.timeout(20_000);

  it('is told who sends, by a token for it', async () => {
    const scopes: unknown[] = [];
    const { sendSpans } = await azureMonitorDestination({
      connectionString: connectionString(),
      credential: {
        async getToken(scope) {
          scopes.push(scope);
          return { token: 'token-of-this-test', expiresOnTimestamp: Date.now() + 3_600_000 };
        },
      },
    }).open();

    await sendSpans(spans(), signal);

    expect(seen().map(({ headers }) => headers.authorization)).toEqual(['Bearer token-of-this-test']);
    expect(scopes.flat()).toEqual(['https://monitor.azure.com/.default']);
  });

  it('is asked nothing without a token', async () => {
    const { sendSpans } = await azureMonitorDestination({
      connectionString: connectionString(),
      credential: { getToken: () => Promise.reject(new Error('no identity')) },
    }).open();

    await expect(sendSpans(spans(), signal)).rejects.toThrow('no identity');

    expect(seen()).toEqual([]);
  });

  it('is heard when it takes a part only', async () => {
    const { sendSpans } = (await destinations['Application Insights']?.().open()) ?? {};
    const errors = [{ index: 0, statusCode: 500, message: 'later' }];
    answer = status(
      206,
      { 'content-type': 'application/json' },
      JSON.stringify({ itemsReceived: 2, itemsAccepted: 1, errors }),
    );

    await expect(sendSpans?.(spans(), signal)).rejects.toThrow('answered 206');
  });

  it('sends nobody on to another host', async () => {
    const { sendSpans } = (await destinations['Application Insights']?.().open()) ?? {};
    answer = status(308, { location: 'https://elsewhere.example/v2.1/track' });

    await expect(sendSpans?.(spans(), signal)).rejects.toThrow();

    expect(seen().length).toBe(1);
  });

  it('is given metrics apart from spans, and a failure of one is none of the other', async () => {
    const { sendSpans, sendMetrics } = (await destinations['Application Insights']?.().open()) ?? {};
    const good = answer;
    answer = status(500);
    await expect(sendMetrics?.(metrics, signal)).rejects.toThrow();

    answer = good;

    await expect(sendSpans?.(spans(), signal)).resolves.toBeUndefined();
    await expect(sendMetrics?.(metrics, signal)).resolves.toBeUndefined();
  });
});
