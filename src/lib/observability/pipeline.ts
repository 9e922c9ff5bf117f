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
/** After a failure nothing is sent for so long: a dead endpoint costs one timeout in this time, not one for each invocation. */
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
  async function send(work: (to: Exporters, signal: AbortSignal) => Promise<void>): Promise<boolean> {
    using deadline = startDeadline(clock, sendTimeoutMs);
    try {
      // What sending itself asks of others, a token or the value of a gauge, is in no trace, or it would be sent in turn.
      const sent = context.with(suppressTracing(context.active()), async () =>
        work(await exporters(), deadline.signal),
      );
      await rejectOnAbort(sent, deadline.signal);
      return true;
    } catch (error) {
      pausedUntilMs = clock.monotonicMs() + pauseMs;
      warn(error);
      return false;
    }
  }

  async function sendMetrics(): Promise<void> {
    metricsDueMs = clock.monotonicMs() + metricsIntervalMs;
    await send(async (to, signal) => {
      const { resourceMetrics } = await reader.collect();
      await to.sendMetrics(resourceMetrics, signal);
    });
  }

  async function sendBatch(): Promise<void> {
    const batch = buffer.takeBatch();
    if (!(await send((to, signal) => to.sendSpans(batch.map(redactSpan), signal))))
      onDrop(batch.length, 'not_sent');
  }

  const areMetricsDue = () => clock.monotonicMs() >= metricsDueMs;
  const drain = singleFlight(async () => {
    while (buffer.size > 0 && !isPaused()) await sendBatch();
    if (areMetricsDue() && !isPaused()) await sendMetrics();
  });

  return {
    reader,
    processor: {
      onStart(span) {
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
      // Who joins a run that is at its metrics already has spans which that one does not see.
      do await drain();
      while (!isPaused() && (buffer.size > 0 || (isLast && areMetricsDue())));
    },
  };
}

function outageWarning({ clock, logger, destination }: PipelineOptions): (error: unknown) => void {
  let dueMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (clock.monotonicMs() < dueMs) return;
    dueMs = clock.monotonicMs() + warningIntervalMs;
    logger.warning('telemetry could not be sent and is lost; that of the next minutes may be, too', {
      destination: destination.name,
      error,
    });
  };
}

/** The first span of this process in its trace: an invocation, or what happens outside of one. */
function isLocalRoot({ parentSpanContext }: ReadableSpan): boolean {
  return parentSpanContext === undefined || parentSpanContext.isRemote === true;
}
