import type { Config } from './lib/config/index.ts';
import { azureMonitorDestination, type Destination, otlpDestination } from './lib/observability/index.ts';
import type { AzureIdentity } from './lib/security/index.ts';

/** Where telemetry is sent to, by the settings; nowhere without any. */
export function telemetryDestinations(config: Config, identity: AzureIdentity): Destination[] {
  const connectionString = config.APPLICATIONINSIGHTS_CONNECTION_STRING;
  const byIdentity = config.APPLICATIONINSIGHTS_AUTHENTICATION_STRING !== undefined;
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  return [
    ...(connectionString === undefined
      ? []
      : [azureMonitorDestination({ connectionString, ...(byIdentity && { credential: identity }) })]),
    ...(endpoint === undefined
      ? []
      : [otlpDestination({ endpoint, headers: config.OTEL_EXPORTER_OTLP_HEADERS ?? {} })]),
  ];
}
