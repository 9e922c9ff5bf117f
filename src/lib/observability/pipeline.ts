import { context } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { MetricReader } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { type Clock, lazy, rejectOnAbort, singleFlight, startDeadline } from '../core/index.ts';
import { currentContext } from './correlation.ts';
import type { Destination, Exporters } from './destination.ts';
import type { Logger } from './logger.ts';
import { PullReader } from './metrics.ts';
import { redactSpan } from './redact-span.ts';
import { createSpanBuffer, maxBatchSpans } from './span-buffer.ts';

/** The way of telemetry to one destination. */
export interface Pipeline {
  readonly processor: SpanProcessor;
  readonly reader: MetricReader;
  /** Sends everything that has ended before the call. Never rejects; each request is bounded, and none is made during a pause. */
  flush(options?: { readonly isLast: boolean }): Promise<void>;
}

interface PipelineOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly destination: Destination;
  /** Told of spans that are lost. */
  readonly onDrop: (count: number, reason: 'buffer_full' | 'not_sent') => void;
  /** Told when spans wait to be sent and nobody may be about to flush. */
  readonly onReady: () => void;
}

/** One request; Application Insights and collectors answer within tens of milliseconds, and timers wait for it. */
const sendTimeoutMs = 5_000;
/** After spans were not taken nothing is sent for so long: a dead endpoint costs one timeout in this time, not one for each invocation. */
const pauseMs = 60_000;
/** What metrics in Application Insights are stored by, so more often shows nothing more. */
const metricsIntervalMs = 60_000;
/** An outage is one warning in this time. */
const warningIntervalMs = 10 * 60_000;

/** Makes the way to a destination; nothing is loaded before the first flush that has something to send. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { clock, destination, onDrop } = options;
  const buffer = createSpanBuffer();
  const reader = new PullReader(destination.temporality);
  const exporters = lazy(destination.open);
  const warn = outageWarning(options);
  let metricsDueMs = Number.NEGATIVE_INFINITY;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;

  const isPaused = () => clock.monotonicMs() < pausedUntilMs;

  /** False when it has not arrived. */
  async function send(
    kind: 'spans' | 'metrics',
    work: (to: Exporters, signal: AbortSignal) => Promise<void>,
  ): Promise<boolean> {
    using deadline = startDeadline(clock, sendTimeoutMs);
    try {
      // What sending itself asks of others, a token or the value of a gauge, is in no trace, or it would be sent in turn.
      const sent = context.with(suppressTracing(context.active()), async () =>
        work(await exporters(), deadline.signal),
      );
      await rejectOnAbort(sent, deadline.signal);
      return true;
    } catch (error) {
      warn(kind, error);
      return false;
    }
  }

  /** A failure is no reason to keep spans back: many a collector takes only them. */
  async function sendMetrics(): Promise<void> {
    metricsDueMs = clock.monotonicMs() + metricsIntervalMs;
    await send('metrics', async (to, signal) => {
      const { resourceMetrics } = await reader.collect();
      await to.sendMetrics(resourceMetrics, signal);
    });
  }

  async function sendBatch(): Promise<void> {
    const batch = buffer.takeBatch();
    if (await send('spans', (to, signal) => to.sendSpans(batch.map(redactSpan), signal))) return;
    pausedUntilMs = clock.monotonicMs() + pauseMs;
    onDrop(batch.length, 'not_sent');
  }

  const areMetricsDue = () => clock.monotonicMs() >= metricsDueMs;
  const drain = singleFlight(async () => {
    // What ends meanwhile is for the next run: under load there would always be more.
    for (let left = buffer.size; left > 0 && !isPaused(); left -= maxBatchSpans) await sendBatch();
    if (areMetricsDue() && !isPaused()) await sendMetrics();
  });

  return {
    reader,
    processor: {
      onStart(span) {
        // An invocation brings its own, and may begin where another one goes on.
        if (span.attributes['correlation_id'] !== undefined) return;
        const id = currentContext()?.correlationId;
        if (id !== undefined) span.setAttribute('correlation_id', id);
      },
      onEnd(span) {
        if (!buffer.add(span)) onDrop(1, 'buffer_full');
        if (isLocalRoot(span) || buffer.size >= maxBatchSpans) options.onReady();
      },
      forceFlush: () => drain(),
      shutdown: () => drain(),
    },
    async flush({ isLast } = { isLast: false }) {
      if (isLast) metricsDueMs = Number.NEGATIVE_INFINITY;
      await drain();
      // That may have been a run which had begun before, and does not see all of what is to be sent.
      if (buffer.size > 0 || (isLast && areMetricsDue())) await drain();
    },
  };
}

function outageWarning({ clock, logger, destination }: PipelineOptions) {
  let dueMs = Number.NEGATIVE_INFINITY;
  return (kind: 'spans' | 'metrics', error: unknown) => {
    if (clock.monotonicMs() < dueMs) return;
    dueMs = clock.monotonicMs() + warningIntervalMs;
    logger.warning('telemetry could not be sent and is lost; that of the next minutes may be, too', {
      destination: destination.name,
      kind,
      error,
    });
  };
}

/** The first span of this process in its trace: an invocation, or what happens outside of one. */
function isLocalRoot({ parentSpanContext }: ReadableSpan): boolean {
  return parentSpanContext === undefined || parentSpanContext.isRemote === true;
}
