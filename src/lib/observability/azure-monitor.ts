import type { AzureMonitorExporterOptions } from '@azure/monitor-opentelemetry-exporter';
import { type Attributes, SpanKind } from '@opentelemetry/api';
import { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { type Destination, exported } from './destination.ts';
import { overlay } from './redact-span.ts';

interface AzureMonitorOptions {
  readonly connectionString: string;
  /** Proves who sends, where the component takes no telemetry by its key alone. */
  readonly credential?: NonNullable<AzureMonitorExporterOptions['credential']>;
}

/** One attempt to send, as seen by the HTTP client of the exporter. */
interface Attempt {
  readonly signal: AbortSignal;
  failure?: unknown;
}

/** Application Insights: https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-configuration */
export function azureMonitorDestination({ connectionString, credential }: AzureMonitorOptions): Destination {
  return {
    name: 'azure-monitor',
    // What it adds up itself must come as differences; a sum that also shrinks must not.
    temporality: (type) =>
      type === InstrumentType.UP_DOWN_COUNTER || type === InstrumentType.OBSERVABLE_UP_DOWN_COUNTER
        ? AggregationTemporality.CUMULATIVE
        : AggregationTemporality.DELTA,
    async open() {
      const { AzureMonitorMetricExporter, AzureMonitorTraceExporter } = await import(
        '@azure/monitor-opentelemetry-exporter'
      );
      const options = { connectionString, ...(credential && { credential }) };
      const [spans, metrics] = [watchedAttempts(), watchedAttempts()];
      const traceExporter = new AzureMonitorTraceExporter({ ...options, ...spans.options });
      const metricExporter = new AzureMonitorMetricExporter({ ...options, ...metrics.options });
      return {
        sendSpans: (batch, signal) =>
          spans.watch(signal, () =>
            exported((report) => traceExporter.export(batch.map(inOlderNames), report)),
          ),
        sendMetrics: (collected, signal) =>
          metrics.watch(signal, () => exported((report) => metricExporter.export(collected, report))),
      };
    },
  };
}

/**
 * Watches the requests of an exporter. Without its folder on disk, which would keep telemetry in clear text and send it at
 * some later start, the exporter reports a batch that it could not send as sent; only its HTTP client knows. Its own retries
 * are off: a batch is sent once, and what comes after a failure waits.
 */
function watchedAttempts() {
  let attempt: Attempt | undefined;
  const policy: NonNullable<AzureMonitorExporterOptions['additionalPolicies']>[number]['policy'] = {
    name: 'attempt',
    async sendRequest(request, next) {
      const current = attempt;
      if (current) request.abortSignal = current.signal;
      try {
        const response = await next(request);
        if (current) current.failure = refusal(response.status);
        return response;
      } catch (error) {
        if (current) current.failure = error;
        throw error;
      }
    },
  };
  return {
    options: {
      disableOfflineStorage: true,
      retryOptions: { maxRetries: 0 },
      additionalPolicies: [{ policy, position: 'perCall' as const }],
    },
    async watch(signal: AbortSignal, send: () => Promise<void>): Promise<void> {
      const current: Attempt = { signal };
      attempt = current;
      await send();
      if (current.failure) throw current.failure;
    },
  };
}

/** 206 says that a part was not taken. https://learn.microsoft.com/azure/azure-monitor/app/api-custom-events-metrics */
function refusal(status: number): Error | undefined {
  return status === 200 ? undefined : new Error(`Application Insights answered ${status}`);
}

/**
 * The exporter knows a database only by the names of before version 1.25 of the conventions, and keeps the new ones as well:
 * every statement would be stored, and paid for, twice. It takes whatever names an HTTP method for a call to somewhere else,
 * which our part of a request is not.
 */
function inOlderNames(span: ReadableSpan): ReadableSpan {
  const { attributes, kind } = span;
  const {
    'db.system.name': system,
    'db.namespace': database,
    'db.query.text': statement,
    ...more
  } = attributes;
  if (system !== undefined) {
    const older: Attributes = { 'db.system': system, 'db.name': database, 'db.statement': statement };
    return overlay(span, { attributes: { ...more, ...older } });
  }
  if (kind !== SpanKind.INTERNAL || attributes['http.request.method'] === undefined) return span;
  const { 'http.request.method': _, ...others } = attributes;
  return overlay(span, { attributes: others });
}
