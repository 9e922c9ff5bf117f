import { AggregationTemporality, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import {
  createLogger,
  createTelemetry,
  type Destination,
  type Telemetry,
} from '../../src/lib/observability/index.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';

/** Telemetry that is sent to an array. */
export interface RecordedTelemetry extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly telemetry: Telemetry;
  readonly spans: readonly ReadableSpan[];
  readonly batchSizes: readonly number[];
  readonly metrics: readonly ResourceMetrics[];
  /** How often metrics were to be sent. */
  readonly metricsRequests: number;
  readonly logLines: readonly Readonly<Record<string, unknown>>[];
  /** How often the exporters were loaded. */
  readonly opened: number;
  /** What sending does from now on, before anything counts as arrived. */
  behave(work: () => Promise<void>): void;
  /** The same for metrics alone. */
  behaveForMetrics(work: () => Promise<void>): void;
  /** What loading does from now on. */
  load(work: () => Promise<void>): void;
}

/** Makes the telemetry of this process, until it is disposed of. */
export async function recordTelemetry({ sampleRatio = 1 } = {}): Promise<RecordedTelemetry> {
  const clock = fakeClock();
  const spans: ReadableSpan[] = [];
  const batchSizes: number[] = [];
  const metrics: ResourceMetrics[] = [];
  const logLines: Record<string, unknown>[] = [];
  let opened = 0;
  let metricsRequests = 0;
  let behaviour = async () => {};
  let metricsBehaviour = async () => {};
  let loading = async () => {};
  const destination: Destination = {
    name: 'otlp',
    temporality: () => AggregationTemporality.DELTA,
    async open() {
      opened += 1;
      await loading();
      return {
        async sendSpans(batch) {
          batchSizes.push(batch.length);
          await behaviour();
          spans.push(...batch);
        },
        async sendMetrics(collected) {
          metricsRequests += 1;
          await behaviour();
          await metricsBehaviour();
          metrics.push(collected);
        },
      };
    },
  };
  const telemetry = createTelemetry({
    clock,
    logger: createLogger({ clock, level: 'debug', write: (line) => logLines.push(JSON.parse(line)) }),
    instance: 'i1',
    service: { name: 'crown-safe-test', version: '1.2.3', environment: 'test' },
    sampleRatio,
    destinations: [destination],
  });
  await telemetry.register();
  return {
    clock,
    telemetry,
    spans,
    batchSizes,
    metrics,
    logLines,
    get opened() {
      return opened;
    },
    behave(work) {
      behaviour = work;
    },
    get metricsRequests() {
      return metricsRequests;
    },
    behaveForMetrics(work) {
      metricsBehaviour = work;
    },
    load(work) {
      loading = work;
    },
    [Symbol.asyncDispose]: async () => {
      behaviour = async () => {};
      metricsBehaviour = async () => {};
      await telemetry.stop();
    },
  };
}
