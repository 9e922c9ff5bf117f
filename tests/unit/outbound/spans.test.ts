import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { propagationHeaders, withSpan } from '../../../src/lib/observability/index.ts';
import type { Answer } from '../../support/misbehaving-server.ts';
import { recordTelemetry } from '../../support/recording-destination.ts';
import { openServer, signal } from './set-up.ts';

type Service = Awaited<ReturnType<typeof openServer>>;

/** The spans of calls inside of a trace, and their server. */
async function callsInTrace(answer: Answer, call: (service: Service) => Promise<unknown>) {
  await using recorded = await recordTelemetry();
  await using service = await openServer(answer, { propagate: propagationHeaders });
  await withSpan('root', {}, () => call(service).catch(() => {}));
  await recorded.telemetry.flush();
  const spans = recorded.spans.filter(({ name }) => name !== 'root');
  const root = recorded.spans.find(({ name }) => name === 'root');
  return { spans, root, requests: [...service.server.requests], url: new URL(service.url) };
}

const answerWith =
  (...statuses: readonly number[]): Answer =>
  (request, response, number) => {
    request.resume().on('end', () => response.writeHead(statuses[number - 1] ?? 200).end());
  };

describe('the span of an outgoing call', () => {
  it('says whom was called and what came back, and not the path: it may be a secret', async () => {
    const { spans, root, url } = await callsInTrace(answerWith(204), (service) =>
      service.outbound.fetch(service.url, {
        method: 'POST',
        headers: { authorization: 'Bearer geheim' },
        body: 'geheim',
        signal,
      }),
    );

    expect(spans).toMatchObject([
      { name: 'POST', kind: SpanKind.CLIENT, status: { code: SpanStatusCode.UNSET } },
    ]);
    expect(spans[0]?.parentSpanContext?.spanId).toBe(root?.spanContext().spanId);
    expect(spans[0]?.attributes).toEqual({
      'http.request.method': 'POST',
      'server.address': '127.0.0.1',
      'server.port': Number(url.port),
      'http.response.status_code': 204,
    });
  });

  it('is one for each try, and each try names its own', async () => {
    const { spans, requests } = await callsInTrace(answerWith(503, 200), (service) =>
      service.outbound.fetch(service.url, { signal }),
    );

    expect(spans.map(({ status }) => status.code)).toEqual([SpanStatusCode.ERROR, SpanStatusCode.UNSET]);
    expect(spans.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([503, 200]);
    expect(requests.map(({ headers }) => headers['traceparent'])).toEqual(
      spans.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`),
    );
  });

  it('says how a call failed that had no answer, without the address', async () => {
    const { spans } = await callsInTrace(
      (request) => request.destroy(),
      (service) => service.outbound.fetch(service.url, { method: 'POST', signal }),
    );

    expect(spans).toMatchObject([
      {
        status: { code: SpanStatusCode.ERROR },
        attributes: { 'error.type': expect.stringMatching(/^[\w.-]+$/) },
      },
    ]);
    expect(
      JSON.stringify(spans.map(({ attributes, status, events }) => [attributes, status, events])),
    ).not.toMatch(/geheim|path/);
  });

  it('is none of a call that was refused beforehand', async () => {
    const { spans } = await callsInTrace(answerWith(200), (service) =>
      service.outbound.fetch('https://elsewhere.example/', { signal }),
    );

    expect(spans).toEqual([]);
  });
});
