import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { createLifecycle } from '../../../src/lib/core/lifecycle.ts';
import { createEdge } from '../../../src/lib/http/edge.ts';
import { anybody, type Endpoint, endpoint } from '../../../src/lib/http/endpoint.ts';
import { streaming } from '../../../src/lib/http/index.ts';
import type { RawExchange } from '../../../src/lib/http/raw-requests.ts';
import { withSpan } from '../../../src/lib/observability/index.ts';
import { recordTelemetry } from '../../support/recording-destination.ts';

const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };
const hostTrace = 'a'.repeat(32);

/** The spans that one request leaves behind. */
async function spansOf(handle: Endpoint['handle'], trace = {}) {
  await using recorded = await recordTelemetry();
  const { clock, telemetry } = recorded;
  const response = Object.assign(new EventEmitter(), { writableFinished: false, destroy: () => {} });
  const request = Object.assign(Readable.from([]), {
    method: 'GET',
    url: '/test',
    headers: { 'x-correlation-id': 'correlation-1' },
    complete: true,
    socket: { remoteAddress: '127.0.0.1' },
  });
  const edge = createEdge({
    clock,
    logger,
    lifecycle: createLifecycle({ clock, logger }),
    metrics: telemetry.metrics,
    ready: async () => {},
    rawRequests: { claim: () => ({ request, response }) as unknown as RawExchange },
    authenticate: () => Promise.reject(new Error('nobody is asked')),
    isScraper: () => false,
    isProduction: true,
    corsOrigins: [],
    trustedProxyHops: 1,
    limits: undefined,
    noteRefusal: async () => {},
  });
  const declaration = endpoint({
    name: 'test',
    method: 'GET',
    route: 'test',
    summary: 'test',
    access: anybody,
    responses: { 200: undefined },
    handle: (input) => {
      queueMicrotask(() => {
        if (gone) response.emit('close');
      });
      return handle(input);
    },
  });
  const gone = handle === clientThatGoes;
  const invocation = { invocationId: 'i', functionName: 'test', writeLog: () => {}, trace };
  const { body } = await edge.serve(declaration, invocation);
  if (body instanceof ReadableStream) await Array.fromAsync(body).catch(() => {});
  await telemetry.flush();
  return recorded.spans;
}

const answerThatBreaksOff = () =>
  streaming(
    200,
    Readable.from(
      (function* () {
        yield Buffer.from('begun');
        throw new AppError('conflict', 'The file has changed');
      })(),
    ),
    {},
  );
const clientThatGoes = () => new Promise<never>(() => {});

describe('the span of a request', () => {
  it('is named by method and route, and holds what happens inside', async () => {
    const spans = await spansOf(() => withSpan('inside', {}, async () => ({})));

    const [inside, root] = spans;
    expect(root).toMatchObject({
      name: 'GET /test',
      kind: SpanKind.SERVER,
      attributes: {
        'faas.trigger': 'http',
        'http.request.method': 'GET',
        'http.route': '/test',
        'http.response.status_code': 200,
        correlation_id: 'correlation-1',
      },
    });
    expect(inside?.parentSpanContext?.spanId).toBe(root?.spanContext().spanId);
    expect(inside?.attributes).toEqual({ correlation_id: 'correlation-1' });
  });

  it.each([
    ['a refusal', () => Promise.reject(new AppError('not_found', 'No such file')), 404, undefined],
    ['a failure', () => Promise.reject(new TypeError('secret')), 500, 'TypeError'],
    ['an outage', () => Promise.reject(new AppError('unavailable', 'Later')), 503, 'unavailable'],
    ['an answer that breaks off', answerThatBreaksOff, 200, 'conflict'],
    ['a client that goes', clientThatGoes, 499, undefined],
  ])('tells %s', async (_, handle, status, error) => {
    const [root] = await spansOf(handle);

    expect(root?.attributes['http.response.status_code']).toBe(status);
    expect(root?.attributes['error.type']).toBe(error);
    expect(root?.status.code).toBe(error === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR);
    expect(root?.status.message ?? '').not.toContain('secret');
  });

  it("is inside of the host's, where that has one", async () => {
    const [root] = await spansOf(() => ({}), { traceparent: `00-${hostTrace}-${'b'.repeat(16)}-01` });

    expect(root).toMatchObject({ kind: SpanKind.INTERNAL, parentSpanContext: { traceId: hostTrace } });
  });
});
