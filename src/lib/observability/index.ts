export { azureMonitorDestination } from './azure-monitor.ts';
export {
  chooseCorrelationId,
  currentContext,
  type InvocationContext,
  nameResource,
  outsideOfInvocations,
  resourceName,
  runInContext,
} from './correlation.ts';
export type { Destination } from './destination.ts';
export { startInvocationSpan } from './invocation-span.ts';
export { writeKeptLines } from './kept-lines.ts';
export type { LogLevel } from './log-level.ts';
export type { LogFields } from './log-line.ts';
export { createLogger, type Logger } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { otlpDestination } from './otlp.ts';
export { isSecretName, redactAndCut, redactText } from './redact.ts';
export { isRecorded, noteAtSpan, withClientSpan, withSpan } from './spans.ts';
export { createTelemetry, type Telemetry } from './telemetry.ts';
export { propagationHeaders, type TraceHeaders } from './trace-context.ts';
