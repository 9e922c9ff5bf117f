import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLifecycle } from '../../../src/lib/core/lifecycle.ts';
import { createEdge } from '../../../src/lib/http/edge.ts';
import { anybody, type Endpoint, endpoint } from '../../../src/lib/http/endpoint.ts';
import type { RawExchange } from '../../../src/lib/http/raw-requests.ts';
import { createMetrics } from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };
const invocation = { invocationId: 'i', functionName: 'test', writeLog: () => {} };

function setUp() {
  const clock = fakeClock();
  const lifecycle = createLifecycle({ clock, logger });
  const response = Object.assign(new EventEmitter(), { writableFinished: false });
  const request = Object.assign(Readable.from([]), {
    method: 'GET',
    url: '/test',
    headers: {},
    complete: true,
    socket: { remoteAddress: '127.0.0.1' },
  });
  const edge = createEdge({
    clock,
    logger,
    lifecycle,
    metrics: createMetrics('test'),
    ready: async () => {},
    rawRequests: { claim: () => ({ request, response }) as unknown as RawExchange },
    authenticate: () => Promise.reject(new Error('nobody is asked')),
    isScraper: () => false,
    isProduction: false,
    corsOrigins: [],
    trustedProxyHops: 1,
    limits: undefined,
    noteRefusal: async () => {},
  });
  const serve = async (handle: Endpoint['handle'], answersWhileStopping = false) => {
    const { status, headers, body } = await edge.serve(
      endpoint({
        name: 'test',
        method: 'GET',
        route: 'test',
        summary: 'test',
        access: anybody,
        answersWhileStopping,
        responses: { 200: undefined },
        handle,
      }),
      invocation,
    );
    return {
      status,
      retryAfter: (headers as Record<string, string>)['retry-after'],
      body: JSON.parse(`${body}`) as { code?: string },
    };
  };
  return { clock, lifecycle, response, serve };
}

describe('a request at the end of the process', () => {
  it('is answered 503 when it comes too late, and told when to come again', async () => {
    const { lifecycle, serve } = setUp();
    await lifecycle.stop();

    const answer = await serve(() => expect.unreachable());

    expect(answer).toMatchObject({ status: 503, retryAfter: '5', body: { code: 'unavailable' } });
  });

  it('is answered all the same where it asks about the process itself', async () => {
    const { lifecycle, serve } = setUp();
    await lifecycle.stop();

    expect(await serve(() => ({ status: 'ok' }), true)).toMatchObject({ status: 200 });
  });

  it('is finished when it had begun, and holds up the end until its answer is out', async () => {
    const { clock, lifecycle, response, serve } = setUp();
    const work = Promise.withResolvers<object>();
    const closed: number[] = [];
    lifecycle.onStop('pool', async () => void closed.push(clock.monotonicMs()));

    const answering = serve(() => work.promise);
    const stopping = lifecycle.stop();
    await clock.advance(1_000);
    work.resolve({});
    const { status } = await answering;
    await clock.advance(1_000);
    response.emit('close');
    await stopping;

    expect([status, closed]).toEqual([200, [2_000]]);
  });

  it('is answered 503 when the process can wait no longer', async () => {
    const { clock, lifecycle, response, serve } = setUp();

    const answering = serve(() => new Promise(() => {}));
    const stopping = lifecycle.stop();
    await clock.advance(2_500);
    const answer = await answering;
    response.emit('close');
    await stopping;

    expect(answer).toMatchObject({ status: 503, retryAfter: '5', body: { code: 'unavailable' } });
  });
});
