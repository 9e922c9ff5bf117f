import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import {
  createLogger,
  createTelemetry,
  isRecorded,
  noteAtSpan,
  propagationHeaders,
  runInContext,
  startInvocationSpan,
  withClientSpan,
  withSpan,
} from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordTelemetry } from '../../support/recording-destination.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const callerSpanId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${callerSpanId}-01`;
const inTrace = (flags = '01') =>
  startInvocationSpan({
    trigger: 'http',
    name: 'GET /a',
    correlationId: 'c-1',
    attributes: {},
    cause: { traceparent: `00-${traceId}-${callerSpanId}-${flags}` },
  });

describe('withSpan', () => {
  it('makes a span inside the present one, also after waiting', async () => {
    await using recorded = await recordTelemetry();

    await withSpan('outer', { step: 1 }, async (span) => {
      await new Promise(setImmediate);
      await withClientSpan('inner', {}, async () => noteAtSpan({ status: 200 }));
      span.note({ done: true });
    });
    await recorded.telemetry.flush();

    const [inner, outer] = recorded.spans;
    expect(inner).toMatchObject({ name: 'inner', kind: SpanKind.CLIENT, attributes: { status: 200 } });
    expect(outer).toMatchObject({
      name: 'outer',
      kind: SpanKind.INTERNAL,
      attributes: { step: 1, done: true },
    });
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(outer?.status.code).toBe(SpanStatusCode.UNSET);
    expect(outer?.resource.attributes).toMatchObject({
      'service.name': 'crown-safe-test',
      'service.version': '1.2.3',
      'service.instance.id': 'i1',
      'deployment.environment.name': 'test',
    });
  });

  it.each([
    ['a code of ours', new AppError('not_found', 'There is no secret-name.png'), 'not_found'],
    ['a code of a driver', Object.assign(new Error('key (mail)=(a@b.c)'), { code: '23505' }), '23505'],
    ['a number', Object.assign(new Error('no'), { code: 7 }), '7'],
    ['a name', new TypeError('no'), 'TypeError'],
    ['a code that says too much', Object.assign(new Error('no'), { code: 'key (mail)=(a@b.c)' }), '_OTHER'],
    ['a code alone', '503', '503'],
    ['words alone', 'the key of a@b.c is hunter2', '_OTHER'],
    ['no error at all', { why: 'not' }, '_OTHER'],
    ['nothing', null, '_OTHER'],
  ])('passes on an error with %s and notes what kind it was, but no message', async (_, error, type) => {
    await using recorded = await recordTelemetry();

    const failing = withSpan('fails', {}, () => Promise.reject(error));

    await expect(failing).rejects.toBe(error);
    await recorded.telemetry.flush();
    expect(recorded.spans[0]).toMatchObject({
      attributes: { 'error.type': type },
      status: { code: SpanStatusCode.ERROR },
    });
    expect(recorded.spans[0]?.status.message).toBeUndefined();
  });

  it('runs the work and nothing else while nobody listens', async () => {
    const before = isRecorded();

    const [result, recordedInside] = await withSpan('alone', {}, async () => [7, isRecorded()]);

    expect([before, result, recordedInside]).toEqual([false, 7, false]);
    expect(propagationHeaders()).toEqual({});
  });
});

describe('a span that is sent', () => {
  it('has the correlation id of its invocation, and no secret that was given to it', async () => {
    await using recorded = await recordTelemetry();
    const context = { correlationId: 'c-7', functionName: 'f', requestId: 'r', write: undefined };

    await runInContext(context, () =>
      withSpan(
        'GET https://a.example/x?sig=abcdef',
        { 'url.full': 'https://a.example/x?sig=abcdef', api_key: 'x' },
        async () => {
          trace.getActiveSpan()?.addEvent('Password=hunter2', { header: 'Bearer 0123456789abcdef' });
          trace.getActiveSpan()?.setAttribute('list', ['sig=abcdef', 'plain']);
          trace.getActiveSpan()?.setAttribute('counts', [1, 2]);
          trace.getActiveSpan()?.setStatus({ code: SpanStatusCode.ERROR, message: 'sig=abcdef' });
        },
      ),
    );
    await recorded.telemetry.flush();

    const [span] = recorded.spans;
    expect(span?.name).toBe('GET https://a.example/x?sig=[redacted]');
    expect(span?.attributes).toEqual({
      correlation_id: 'c-7',
      'url.full': 'https://a.example/x?sig=[redacted]',
      api_key: '[redacted]',
      list: ['sig=[redacted]', 'plain'],
      counts: [1, 2],
    });
    expect(span?.events).toMatchObject([
      { name: 'Password=[redacted]', attributes: { header: 'Bearer [redacted]' } },
    ]);
    expect(span?.status.message).toBe('sig=[redacted]');
  });

  it('is bounded', async () => {
    await using recorded = await recordTelemetry();
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`a${index}`, 'x'.repeat(9_000)]),
    );

    await withSpan('large', many, async () => {});
    await recorded.telemetry.flush();

    const attributes = Object.values(recorded.spans[0]?.attributes ?? {});
    expect(attributes.length).toBe(64);
    expect(attributes.every((value) => String(value).length <= 2_048)).toBe(true);
  });
});

describe('the API of OpenTelemetry', () => {
  it('makes spans of its own users part of our traces', async () => {
    await using recorded = await recordTelemetry();

    await withSpan('ours', {}, async () => {
      await trace.getTracer('theirs').startActiveSpan('custom', async (span) => {
        await withSpan('ours again', {}, async () => {});
        span.end();
      });
    });
    await recorded.telemetry.flush();

    const [again, custom, ours] = recorded.spans;
    expect([again, custom, ours].map((span) => span?.name)).toEqual(['ours again', 'custom', 'ours']);
    expect(again?.parentSpanContext?.spanId).toBe(custom?.spanContext().spanId);
    expect(custom?.parentSpanContext?.spanId).toBe(ours?.spanContext().spanId);
  });

  it('can bind a callback to the present span, whoever calls it later', async () => {
    await using recorded = await recordTelemetry();
    const seen: unknown[] = [];

    const later = await withSpan('here', {}, async () =>
      context.bind(context.active(), (...args: unknown[]) => {
        seen.push(...args, trace.getActiveSpan()?.spanContext().spanId);
      }),
    );
    later('a', 'b');
    await recorded.telemetry.flush();

    expect(seen).toEqual(['a', 'b', recorded.spans[0]?.spanContext().spanId]);
    expect(context.bind(context.active(), 'no function')).toBe('no function');
    expect(trace.getActiveSpan()).toBeUndefined();
  });
});

describe('propagationHeaders', () => {
  it('names the present span', async () => {
    await using recorded = await recordTelemetry();

    const headers = await inTrace().run(() => withSpan('call', {}, async () => propagationHeaders()));
    await recorded.telemetry.flush();

    const [call] = recorded.spans;
    expect(headers).toEqual({ traceparent: `00-${traceId}-${call?.spanContext().spanId}-01` });
  });

  it('hands on the trace of a caller, with its state, when nothing is sent', async () => {
    const telemetry = createTelemetry({
      clock: fakeClock(),
      logger: createLogger({ clock: fakeClock(), level: 'error', write: () => {} }),
      instance: 'i1',
      service: { name: 'n', version: 'v', environment: 'test' },
      sampleRatio: 1,
      destinations: [],
    });
    await telemetry.register();
    const span = startInvocationSpan({
      trigger: 'http',
      name: 'GET /a',
      correlationId: 'c-1',
      attributes: {},
      cause: { traceparent, tracestate: 'vendor=1' },
    });

    const headers = await span.run(() => withClientSpan('call', {}, async () => propagationHeaders()));
    span.end();
    telemetry.flushSoon();
    await telemetry.flush();
    await telemetry.stop();

    expect(headers).toEqual({ traceparent, tracestate: 'vendor=1' });
  });
});

describe('sampling', () => {
  it.each([
    ['keeps what a caller keeps', '01', 0, 2],
    ['leaves out what a caller leaves out', '00', 1, 0],
  ])('%s', async (_, flags, sampleRatio, count) => {
    await using recorded = await recordTelemetry({ sampleRatio });
    const span = inTrace(flags);

    await span.run(() => withSpan('inside', {}, async () => {}));
    span.end();
    await recorded.telemetry.flush();

    expect(recorded.spans.length).toBe(count);
  });

  it('keeps a share of the traces that begin here, and those whole', async () => {
    await using recorded = await recordTelemetry({ sampleRatio: 0.5 });

    for (let index = 0; index < 400; index++)
      await withSpan('outer', {}, () => withSpan('inner', {}, async () => {}));
    await recorded.telemetry.flush();

    const outer = recorded.spans.filter(({ name }) => name === 'outer');
    expect(outer.length).toBeGreaterThan(120);
    expect(outer.length).toBeLessThan(280);
    expect(recorded.spans.length).toBe(2 * outer.length);
  });
});

describe('a log line', () => {
  it('names the present span', async () => {
    await using recorded = await recordTelemetry();
    const lines: string[] = [];
    const logger = createLogger({ clock: fakeClock(), level: 'info', write: (line) => lines.push(line) });

    logger.info('outside');
    await withSpan('inside', {}, async () => logger.info('inside'));
    await recorded.telemetry.flush();

    const [outside, inside] = lines.map((line) => JSON.parse(line));
    const { traceId, spanId } = recorded.spans[0]?.spanContext() ?? {};
    expect(outside).not.toHaveProperty('trace_id');
    expect(inside).toMatchObject({ trace_id: traceId, span_id: spanId });
  });
});
