import type { Observable } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type AggregationTemporalitySelector,
  MeterProvider,
  MetricReader,
} from '@opentelemetry/sdk-metrics';

type Labels = Readonly<Record<string, string>>;

/** A number that only grows. */
export interface Counter {
  add(labels: Labels, amount?: number): void;
}

/** A distribution; values in the unit of its name. */
export interface Histogram {
  record(labels: Labels, value: number): void;
}

/** The metrics of this process. Names are Prometheus names, the unit is their suffix. */
export interface Metrics {
  counter(name: string, description: string): Counter;
  /** With the buckets of request durations, in seconds. */
  durationHistogram(name: string, description: string): Histogram;
  /** A value read when it is asked for; the answer waits for it. A reader that throws or rejects leaves its series out. */
  gauge(name: string, description: string, read: ReadSeries): void;
  /** A number that only grows, and that somebody else counts. Read as a gauge is. */
  observedCounter(name: string, description: string, read: ReadSeries): void;
  /** All series as Prometheus text, version 0.0.4. */
  render(): Promise<string>;
}

export interface GaugeValue {
  readonly labels: Labels;
  readonly value: number;
}

type ReadSeries = () => readonly GaugeValue[] | Promise<readonly GaugeValue[]>;

/** Bounds in seconds: the default buckets of Prometheus clients, from 5 ms to 10 s. */
const durationBucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Collects only when asked: for scrapes, and before telemetry is sent. */
export class PullReader extends MetricReader {
  /** @param temporality - whether values count from the start of the process, as a scrape expects, or from the last collection */
  constructor(temporality: AggregationTemporalitySelector = () => AggregationTemporality.CUMULATIVE) {
    super({ aggregationTemporalitySelector: temporality });
  }
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/**
 * Makes the metrics of this process.
 *
 * @param instance - stands in the `instance` label of every series, because counters live in one process only
 * @param options - what else reads them, and whose they are then
 */
export function createMetrics(
  instance: string,
  {
    readers = [],
    resource,
  }: { readonly readers?: readonly MetricReader[]; readonly resource?: Resource } = {},
): Metrics {
  const reader = new PullReader();
  const provider = new MeterProvider({ readers: [reader, ...readers], ...(resource && { resource }) });
  const meter = provider.getMeter('crownsafe');
  const observe = (instrument: Observable, read: ReadSeries) =>
    instrument.addCallback(async (result) => {
      for (const { labels, value } of await read()) result.observe(value, { ...labels, instance });
    });
  return {
    counter(name, description) {
      const counter = meter.createCounter(name, { description });
      return { add: (labels, amount = 1) => counter.add(amount, { ...labels, instance }) };
    },
    durationHistogram(name, description) {
      const advice = { explicitBucketBoundaries: durationBucketsSeconds };
      const histogram = meter.createHistogram(name, { description, advice });
      return { record: (labels, value) => histogram.record(value, { ...labels, instance }) };
    },
    gauge(name, description, read) {
      observe(meter.createObservableGauge(name, { description }), read);
    },
    observedCounter(name, description, read) {
      observe(meter.createObservableCounter(name, { description }), read);
    },
    async render() {
      // Only a scrape needs the serializer, so its load time is not part of every cold start.
      const { toPrometheusText } = await import('./prometheus.ts');
      const { resourceMetrics } = await reader.collect();
      return toPrometheusText(resourceMetrics);
    },
  };
}
