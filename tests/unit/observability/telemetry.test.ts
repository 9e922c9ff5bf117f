import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { exported } from '../../../src/lib/observability/destination.ts';
import {
  currentContext,
  outsideOfInvocations,
  runInContext,
  withSpan,
} from '../../../src/lib/observability/index.ts';
import { type RecordedTelemetry, recordTelemetry } from '../../support/recording-destination.ts';

const makeSpan = (name = 'a') => withSpan(name, {}, async () => {});
const namesOf = ({ spans }: RecordedTelemetry) => spans.map(({ name }) => name);
const warningsOf = ({ logLines }: RecordedTelemetry) => logLines.filter(({ level }) => level === 'warning');
const fails = () => Promise.reject(new Error('no route to host'));
const never = () => new Promise<void>(() => {});

async function droppedOf({ telemetry }: RecordedTelemetry): Promise<string[]> {
  const text = await telemetry.metrics.render();
  return text.split('\n').filter((line) => line.startsWith('telemetry_spans_dropped_total'));
}

describe('flush', () => {
  it('sends what has ended, and loads the exporters for that only', async () => {
    await using recorded = await recordTelemetry();
    const before = recorded.opened;

    await makeSpan();
    await recorded.telemetry.flush();
    await makeSpan('b');
    await recorded.telemetry.flush();

    expect(before).toBe(0);
    expect(recorded.opened).toBe(1);
    expect(namesOf(recorded)).toEqual(['a', 'b']);
  });

  it('sends also what ends while another one is at its metrics', async () => {
    await using recorded = await recordTelemetry();
    const gate = Promise.withResolvers<void>();
    const atMetrics = Promise.withResolvers<void>();
    let sent = 0;
    recorded.behave(async () => {
      sent += 1;
      if (sent !== 2) return;
      atMetrics.resolve();
      await gate.promise;
    });
    await makeSpan();
    const first = recorded.telemetry.flush();
    await atMetrics.promise;
    await makeSpan('late');

    const second = recorded.telemetry.flush();
    gate.resolve();
    await Promise.all([first, second]);

    expect(namesOf(recorded)).toEqual(['a', 'late']);
    expect(recorded.metrics.length).toBe(1);
  });

  it('ends although more spans end all the time', async () => {
    await using recorded = await recordTelemetry();
    const asOutside = AsyncLocalStorage.snapshot(); // What happens inside of sending is no span.
    recorded.behave(async () => {
      if (recorded.batchSizes.length < 20) await asOutside(makeSpan, 'meanwhile');
    });
    await makeSpan();

    await recorded.telemetry.flush();

    expect(namesOf(recorded)[0]).toBe('a');
    expect(recorded.batchSizes.length).toBeLessThanOrEqual(2);
    expect(recorded.clock.timers).toBe(1); // For what is left.
  });

  it('sends in batches', async () => {
    await using recorded = await recordTelemetry();
    recorded.behave(never);

    await withSpan('root', {}, async () => {
      for (let index = 0; index < 1_200; index++) await makeSpan();
      recorded.behave(async () => {});
      await recorded.telemetry.flush();
    });

    expect(recorded.batchSizes).toEqual([512, 512, 176]);
  });

  it('brings the metrics with it, once a minute', async () => {
    await using recorded = await recordTelemetry();
    const counter = recorded.telemetry.metrics.counter('things_total', 'Things');
    const flushAfter = async (ms: number) => {
      counter.add({});
      await recorded.clock.advance(ms);
      await recorded.telemetry.flush();
      return recorded.metrics.length;
    };

    const counts = [await flushAfter(0), await flushAfter(59_999), await flushAfter(1)];

    expect(counts).toEqual([1, 1, 2]);
    const values = recorded.metrics.map(
      ({ scopeMetrics }) =>
        scopeMetrics.flatMap(({ metrics }) => metrics).find((one) => one.descriptor.name === 'things_total')
          ?.dataPoints[0]?.value,
    );
    expect(values).toEqual([1, 2]);
    expect(recorded.metrics[0]?.resource.attributes['service.name']).toBe('crown-safe-test');
  });
});

describe('flushSoon', () => {
  it('sends once, a second after the first of those who ask', async () => {
    await using recorded = await recordTelemetry();
    await makeSpan();

    recorded.telemetry.flushSoon();
    await recorded.clock.advance(999);
    recorded.telemetry.flushSoon();
    const early = recorded.spans.length;
    await recorded.clock.advance(1);

    await expect.poll(() => namesOf(recorded)).toEqual(['a']);
    expect(early).toBe(0);
    expect(recorded.clock.timers).toBe(0);
  });

  it('happens by itself when a trace has ended here, and not for a part of one', async () => {
    await using recorded = await recordTelemetry();

    await withSpan('root', {}, async () => {
      await makeSpan('part');
      await recorded.clock.advance(5_000);
      expect(recorded.spans).toEqual([]);
    });
    await recorded.clock.advance(1_000);

    await expect.poll(() => namesOf(recorded)).toEqual(['part', 'root']);
  });
});

describe('sending', () => {
  it('is in no trace, not even by what it brings about in the background', async () => {
    await using recorded = await recordTelemetry();
    recorded.behave(async () => {
      await makeSpan('inside');
      await outsideOfInvocations(() => makeSpan('beside'));
    });
    await makeSpan();

    await recorded.telemetry.flush();
    recorded.behave(async () => {});
    await recorded.telemetry.flush();

    expect(namesOf(recorded)).toEqual(['a']);
  });

  it('has none of the context of the request that it follows on', async () => {
    await using recorded = await recordTelemetry();
    const context = { correlationId: 'c-12345678', functionName: 'f', requestId: 'r', write: undefined };
    const seen: unknown[] = [];
    recorded.behave(async () => void seen.push(currentContext()));

    await runInContext(context, () => makeSpan());
    await recorded.clock.advance(1_000);

    await expect.poll(() => seen).toEqual([undefined, undefined]); // Spans, and metrics.
    expect(recorded.spans[0]?.attributes['correlation_id']).toBe('c-12345678');
  });
});

describe('a destination that is away', () => {
  it('is left alone for a minute, and then tried again', async () => {
    await using recorded = await recordTelemetry();
    recorded.behave(fails);
    await makeSpan('lost');
    await recorded.telemetry.flush();

    recorded.behave(async () => {});
    await makeSpan('kept');
    await recorded.clock.advance(59_000);
    await recorded.telemetry.flush();
    const during = recorded.batchSizes.length;
    await recorded.clock.advance(1_000);
    await recorded.telemetry.flush();

    expect(during).toBe(1);
    expect(namesOf(recorded)).toEqual(['kept']);
    expect(await droppedOf(recorded)).toEqual([
      expect.stringMatching(/destination="otlp",reason="not_sent",instance="i1"\} 1$/),
    ]);
  });

  it('for metrics only, as a store of traces is, gets all spans and each minute one request for metrics', async () => {
    await using recorded = await recordTelemetry();
    recorded.behaveForMetrics(fails);

    for (const name of ['a', 'b', 'c']) {
      await makeSpan(name);
      await recorded.telemetry.flush();
    }
    const requests = recorded.metricsRequests;
    await recorded.clock.advance(60_000);
    await recorded.telemetry.flush();

    expect(namesOf(recorded)).toEqual(['a', 'b', 'c']);
    expect([requests, recorded.metricsRequests]).toEqual([1, 2]);
    expect(warningsOf(recorded)).toEqual([expect.objectContaining({ destination: 'otlp', kind: 'metrics' })]);
  });

  it('is one warning in ten minutes', async () => {
    await using recorded = await recordTelemetry();
    recorded.behave(fails);

    for (let minute = 0; minute < 10; minute++) {
      await makeSpan();
      await recorded.telemetry.flush();
      await recorded.clock.advance(60_000);
    }
    const before = warningsOf(recorded).length;
    await makeSpan();
    await recorded.telemetry.flush();

    expect(before).toBe(1);
    expect(warningsOf(recorded)).toEqual([
      expect.objectContaining({ module: 'telemetry', destination: 'otlp' }),
      expect.objectContaining({ error: expect.objectContaining({ message: 'no route to host' }) }),
    ]);
  });

  it('keeps a flush waiting for one timeout only', async () => {
    await using recorded = await recordTelemetry();
    recorded.behave(never);
    await makeSpan();

    const flushed = recorded.telemetry.flush();
    await recorded.clock.advance(5_000);
    await flushed;
    await makeSpan();
    await recorded.telemetry.flush();

    expect(recorded.clock.timers).toBeLessThanOrEqual(1);
    expect(recorded.batchSizes).toEqual([1]);
  });

  it('costs no more than the room for 2048 spans', async () => {
    await using recorded = await recordTelemetry();
    recorded.behave(fails);
    await makeSpan();
    await recorded.telemetry.flush();

    for (let index = 0; index < 2_050; index++) await makeSpan();

    expect(await droppedOf(recorded)).toEqual([
      expect.stringMatching(/reason="not_sent",instance="i1"\} 1$/),
      expect.stringMatching(/reason="buffer_full",instance="i1"\} 2$/),
    ]);
  });

  it('can be one whose SDK does not load, until it does', async () => {
    await using recorded = await recordTelemetry();
    recorded.load(fails);
    await makeSpan('lost');
    await recorded.telemetry.flush();

    recorded.load(async () => {});
    await makeSpan('kept');
    await recorded.clock.advance(60_000);
    await recorded.telemetry.flush();

    expect(recorded.opened).toBe(2);
    expect(namesOf(recorded)).toEqual(['kept']);
  });
});

describe('stop', () => {
  it('sends the last spans and metrics, whenever the metrics were sent before', async () => {
    const recorded = await recordTelemetry();
    await makeSpan();
    await recorded.telemetry.flush();
    await makeSpan('last');

    await recorded.telemetry.stop();
    await makeSpan('after the end');

    expect(namesOf(recorded)).toEqual(['a', 'last']);
    expect(recorded.metrics.length).toBe(2);
    expect(recorded.clock.timers).toBe(0);
  });

  it.each([
    ['after two seconds', undefined],
    ['when its signal aborts', AbortSignal.abort()],
  ])('gives up waiting %s', async (_, signal) => {
    const recorded = await recordTelemetry();
    recorded.behave(never);
    await makeSpan();

    const stopped = recorded.telemetry.stop(signal);
    if (!signal) await recorded.clock.advance(2_000);

    await expect(stopped).resolves.toBeUndefined();
  });
});

describe('exported', () => {
  it.each([
    [
      'reports a failure',
      (report: (result: object) => void) => report({ code: 1, error: new Error('full') }),
      'full',
    ],
    ['gives no reason', (report: (result: object) => void) => report({ code: 1 }), 'gives no reason'],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'broken',
    ],
    ['rejects, against its interface', () => Promise.reject(new Error('unseen')), 'unseen'],
  ])('rejects when an exporter %s', async (_, start, message) => {
    await expect(exported(start as Parameters<typeof exported>[0])).rejects.toThrow(message);
  });

  it('resolves when an exporter reports success', async () => {
    await expect(exported((report) => report({ code: 0 }))).resolves.toBeUndefined();
  });
});
