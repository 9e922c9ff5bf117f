import * as z from 'zod';
import { notes } from './notes.ts';
import { isPercentEncoded } from './shapes.ts';

/** The form of the specification: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables */
function readHeaders(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text.split(',').flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()]));
  const headers = pairs.map((pair) => /^([\w!#$%&'*+.^`|~-]+)\s*=\s*([!-~]*)$/.exec(pair));
  if (!headers.every((header) => header !== null && isPercentEncoded(header[2] ?? ''))) return undefined;
  return Object.fromEntries(
    headers.flatMap((header) => (header ? [[header[1], decodeURIComponent(header[2] ?? '')]] : [])),
  );
}

/** Where traces and metrics are sent. */
export const telemetrySettings = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: z
    .string()
    .regex(
      /(?:^|;)\s*InstrumentationKey=[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:;|$)/i,
      'must name an InstrumentationKey',
    )
    .optional()
    .register(notes, {
      group: 'telemetry',
      description:
        'Application Insights, where traces and metrics are sent; the host sends requests and log lines there, too. `APPLICATION_INSIGHTS_NO_STATSBEAT=true` beside it keeps the exporter from sending statistics about itself, as the deployment does.',
      secret: true,
    }),
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: z
    .string()
    .regex(/(?:^|;)\s*Authorization=AAD\s*(?:;|$)/i, 'must say Authorization=AAD, or be left out')
    .optional()
    .register(notes, {
      group: 'telemetry',
      description:
        "`Authorization=AAD`: telemetry is sent as the app's identity (`AZURE_CLIENT_ID`), which needs the role Monitoring Metrics Publisher. The host reads `ClientId` in it as well.",
    }),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL', abort: true })
    .refine((text) => !/[?#@]/.test(text), 'must be an address without credentials or query')
    .transform((text) => text.replace(/\/+$/, ''))
    .optional()
    .register(notes, {
      group: 'telemetry',
      description:
        'A collector that takes OTLP over HTTP, as `http://localhost:4318`; beside Application Insights or instead. The host sends there, too: by gRPC, unless `OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf` stands beside it, as in the deployment.',
    }),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .transform(readHeaders)
    .refine(
      (headers) => headers !== undefined,
      'must be name=value pairs, comma separated, values percent-encoded',
    )
    .optional()
    .register(notes, {
      group: 'telemetry',
      description: 'Headers for the collector: `name=value`, comma separated, values percent-encoded.',
      secret: true,
    }),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(?:0(?:\.\d{1,6})?|1(?:\.0{1,6})?)$/, 'must be from 0 to 1')
    .transform(Number)
    .default(1)
    .register(notes, {
      group: 'telemetry',
      description:
        'Share of the traces that begin here which are kept, from 0 to 1. Who calls with a trace of its own, as the host does, decides for that one. Metrics and log lines are always whole.',
    }),
};
