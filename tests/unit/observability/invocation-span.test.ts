import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { runInContext, startInvocationSpan, withSpan } from '../../../src/lib/observability/index.ts';
import { recordTelemetry } from '../../support/recording-destination.ts';

const hostTrace = '1'.repeat(32);
const causeTrace = '2'.repeat(32);
const host = { traceparent: `00-${hostTrace}-${'3'.repeat(16)}-01` };
const cause = { traceparent: `00-${causeTrace}-${'4'.repeat(16)}-01` };

type Options = Parameters<typeof startInvocationSpan>[0];

async function spanOf(
  options: Partial<Options>,
  end: Parameters<ReturnType<typeof startInvocationSpan>['end']> = [],
) {
  await using recorded = await recordTelemetry();
  const span = startInvocationSpan({
    trigger: 'http',
    name: 'GET /a',
    correlationId: 'c-1',
    attributes: {},
    ...options,
  });
  span.end(...end);
  await recorded.telemetry.flush();
  const [made] = recorded.spans;
  if (!made) throw new Error('there is no span');
  return made;
}

describe('the span of an invocation', () => {
  it.each([
    ['http', SpanKind.SERVER],
    ['pubsub', SpanKind.CONSUMER],
    ['timer', SpanKind.INTERNAL],
  ] as const)('of kind %s begins a trace', async (trigger, kind) => {
    const span = await spanOf({ trigger, attributes: { 'http.route': '/a' } });

    expect(span).toMatchObject({
      name: 'GET /a',
      kind,
      attributes: { 'faas.trigger': trigger, correlation_id: 'c-1', 'http.route': '/a' },
    });
    expect(span.parentSpanContext).toBeUndefined();
  });

  it.each([
    ['a request goes on in the trace of its caller', 'http', { cause }, causeTrace, SpanKind.SERVER, []],
    ["a request is part of the host's span", 'http', { host, cause }, hostTrace, SpanKind.INTERNAL, []],
    ['a message goes on in the trace of its sender', 'pubsub', { cause }, causeTrace, SpanKind.CONSUMER, []],
    [
      "a message keeps the host's span as link",
      'pubsub',
      { host, cause },
      causeTrace,
      SpanKind.INTERNAL,
      [hostTrace],
    ],
    [
      "a message without sender is part of the host's span",
      'pubsub',
      { host },
      hostTrace,
      SpanKind.INTERNAL,
      [],
    ],
    ["a timer is part of the host's span", 'timer', { host }, hostTrace, SpanKind.INTERNAL, []],
  ] as const)('%s', async (_, trigger, from, traceId, kind, links) => {
    const span = await spanOf({ trigger, ...from });

    expect(span.spanContext().traceId).toBe(traceId);
    expect(span.kind).toBe(kind);
    expect(span.links.map((link) => link.context.traceId)).toEqual(links);
  });

  it.each([
    'nonsense',
    `00-${'0'.repeat(32)}-${'4'.repeat(16)}-01`,
    `00-${causeTrace}-${'0'.repeat(16)}-01`,
    `ff-${causeTrace}-${'4'.repeat(16)}-01`,
    `00-${causeTrace.toUpperCase().replace(/2/g, 'A')}-${'4'.repeat(16)}-01`,
    `00-${causeTrace}-${'4'.repeat(16)}-01-more`,
    '',
  ])('begins a trace of its own when the caller sends %s', async (traceparent) => {
    const span = await spanOf({ cause: { traceparent } });

    expect(span.parentSpanContext).toBeUndefined();
  });

  it('says how the invocation ended', async () => {
    const well = await spanOf({}, [{ 'http.response.status_code': 404 }]);
    const badly = await spanOf({}, [{ 'http.response.status_code': 503 }, '503']);

    expect(well).toMatchObject({
      attributes: { 'http.response.status_code': 404 },
      status: { code: SpanStatusCode.UNSET },
    });
    expect(badly).toMatchObject({
      attributes: { 'http.response.status_code': 503, 'error.type': '503' },
      status: { code: SpanStatusCode.ERROR },
    });
  });

  it('does not belong to what happens to go on when it starts', async () => {
    await using recorded = await recordTelemetry();

    const other = { correlationId: 'another', functionName: 'f', requestId: 'r', write: undefined };
    await runInContext(other, () =>
      withSpan('something else', {}, async () =>
        startInvocationSpan({ trigger: 'timer', name: 't', correlationId: 'c', attributes: {} }).end(),
      ),
    );
    await recorded.telemetry.flush();

    expect(recorded.spans[0]?.parentSpanContext).toBeUndefined();
    expect(recorded.spans[0]?.attributes['correlation_id']).toBe('c');
    expect(recorded.spans[1]?.attributes['correlation_id']).toBe('another');
  });
});
