import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import { type Destination, exported } from './destination.ts';

interface OtlpOptions {
  /** Of a collector, without a slash at the end and without `/v1/traces`. */
  readonly endpoint: string;
  /** Mostly what lets us in: a secret. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Below what a caller waits for one request, so that the SDK's own retries end in it. */
const timeoutMillis = 4_000;

/** Any collector that takes OTLP over HTTP, in JSON: https://opentelemetry.io/docs/specs/otlp/ */
export function otlpDestination({ endpoint, headers }: OtlpOptions): Destination {
  return {
    name: 'otlp',
    // What Prometheus, and so most collectors' stores, count with.
    temporality: () => AggregationTemporality.CUMULATIVE,
    async open() {
      const [{ OTLPTraceExporter }, { OTLPMetricExporter }] = await Promise.all([
        import('@opentelemetry/exporter-trace-otlp-http'),
        import('@opentelemetry/exporter-metrics-otlp-http'),
      ]);
      const options = { headers: { ...headers }, timeoutMillis };
      const traces = new OTLPTraceExporter({ ...options, url: `${endpoint}/v1/traces` });
      const metrics = new OTLPMetricExporter({ ...options, url: `${endpoint}/v1/metrics` });
      return {
        sendSpans: (spans) => exported((report) => traces.export([...spans], report)),
        sendMetrics: (collected) => exported((report) => metrics.export(collected, report)),
      };
    },
  };
}
