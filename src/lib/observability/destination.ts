import type { AggregationTemporalitySelector, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** Somewhere telemetry is sent to. */
export interface Destination {
  /** Stands in log lines and labels. */
  readonly name: 'azure-monitor' | 'otlp';
  readonly temporality: AggregationTemporalitySelector;
  /** Loads the SDK. It costs a cold start up to 100 ms, so nobody calls this before there is something to send. */
  readonly open: () => Promise<Exporters>;
}

/** Sends one batch, once; both reject when it has not arrived. The signal ends the attempt where the SDK lets it. */
export interface Exporters {
  sendSpans(spans: readonly ReadableSpan[], signal: AbortSignal): Promise<void>;
  sendMetrics(metrics: ResourceMetrics, signal: AbortSignal): Promise<void>;
}

/** The result that every exporter of OpenTelemetry calls back with; 0 is success. */
type Report = (result: { readonly code: number; readonly error?: Error }) => void;

/**
 * Turns the callback of an exporter into a promise. Some exporters are asynchronous functions, against their interface, and
 * what these throw would otherwise reach nobody and end the process.
 */
export function exported(start: (report: Report) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const report: Report = ({ code, error }) => {
      if (code === 0) resolve();
      else reject(error ?? new Error('the exporter gives no reason'));
    };
    Promise.resolve(report).then(start).catch(reject);
  });
}
