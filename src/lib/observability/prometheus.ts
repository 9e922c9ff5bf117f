import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';

/** Writes metrics as Prometheus text, version 0.0.4, without the labels of OpenTelemetry's own. */
export function toPrometheusText(metrics: ResourceMetrics): string {
  return new PrometheusSerializer('', false, undefined, true, true).serialize(metrics);
}
