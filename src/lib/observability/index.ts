export { chooseCorrelationId, currentContext, type InvocationContext, runInContext } from './correlation.ts';
export type { LogLevel } from './log-level.ts';
export { createLogger, type LogFields, type Logger } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { redactText } from './redact.ts';
