import { context, propagation, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type Clock, rejectOnAbort, startDeadline } from '../core/index.ts';
import { createAsyncContext } from './async-context.ts';
import { outsideOfInvocations } from './correlation.ts';
import type { Destination } from './destination.ts';
import type { Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createPipeline } from './pipeline.ts';
import { w3cPropagator } from './trace-context.ts';

/** Metrics and traces of this process, and their way out. */
export interface Telemetry {
  readonly metrics: Metrics;
  /**
   * Makes this the telemetry of the process: from here on spans are made, and the present one is carried along. Without a
   * destination there are no spans; a caller's trace is still handed on.
   */
  register(): Promise<void>;
  /** Sends what there is a little later: nobody waits for it, least of all a client for its first answer. */
  flushSoon(): void;
  /** Sends what there is, before work ends that nobody waits for. Takes 10 s at most, and never rejects. */
  flush(): Promise<void>;
  /** Sends what is left and ends. Never rejects. @param signal - ends the waiting */
  stop(signal?: AbortSignal): Promise<void>;
}

interface TelemetryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of this process, in every series and span. */
  readonly instance: string;
  readonly service: { readonly name: string; readonly version: string; readonly environment: string };
  /** Share of the traces that begin here which are kept, 0 to 1; others are kept where whoever began them does. */
  readonly sampleRatio: number;
  readonly destinations: readonly Destination[];
}

/** Gathers what a burst of requests leaves behind; as much is lost when the process dies. */
const flushDelayMs = 1_000;
/** Two requests that time out, one for each signal; an invocation may be billed for this. */
const flushTimeoutMs = 10_000;
/** Of the 5 s that the platform gives an ending worker. */
const stopTimeoutMs = 2_000;

/** Makes the telemetry. Nothing is loaded or sent before there is something to send. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { clock, instance, service } = options;
  const logger = options.logger.child('telemetry');
  const resource = resourceFromAttributes({
    'service.name': service.name,
    'service.version': service.version,
    'service.instance.id': instance,
    'deployment.environment.name': service.environment,
  });
  let cancelFlush: (() => void) | undefined;
  const pipelines = options.destinations.map((destination) =>
    createPipeline({
      clock,
      logger,
      destination,
      onDrop: (count, reason) => dropped.add({ destination: destination.name, reason }, count),
      onReady: () => flushSoon(),
    }),
  );
  const metrics = createMetrics(instance, { readers: pipelines.map(({ reader }) => reader), resource });
  const dropped = metrics.counter(
    'telemetry_spans_dropped_total',
    'Spans that were lost before they arrived',
  );
  let isRegistered = false;

  function flushSoon(): void {
    if (pipelines.length === 0) return;
    // Sending is nobody's, though it follows on somebody's request.
    cancelFlush ??= outsideOfInvocations(() =>
      clock.after(flushDelayMs, () => {
        cancelFlush = undefined;
        void flushAll(flushTimeoutMs);
      }),
    );
  }

  async function flushAll(timeoutMs: number, isLast = false, ...signals: AbortSignal[]): Promise<void> {
    if (pipelines.length === 0) return;
    using deadline = startDeadline(clock, timeoutMs, ...signals);
    const flushed = Promise.all(pipelines.map((pipeline) => pipeline.flush({ isLast })));
    await rejectOnAbort(flushed, deadline.signal).catch((error) =>
      logger.debug('telemetry is still being sent', { error }),
    );
  }

  return {
    metrics,
    async register() {
      isRegistered = true;
      context.setGlobalContextManager(createAsyncContext());
      propagation.setGlobalPropagator(w3cPropagator);
      if (pipelines.length === 0) return;
      const { registerTracerProvider } = await import('./tracer-provider.ts');
      const processors = pipelines.map(({ processor }) => processor);
      registerTracerProvider({ resource, sampleRatio: options.sampleRatio, processors });
    },
    flushSoon,
    flush: () => flushAll(flushTimeoutMs),
    async stop(signal) {
      cancelFlush?.();
      if (!isRegistered) return;
      await flushAll(stopTimeoutMs, true, ...(signal ? [signal] : []));
      trace.disable();
      propagation.disable();
      context.disable();
    },
  };
}
