export { chooseCorrelationId, currentContext, type InvocationContext, runInContext } from './correlation.ts';
export { createLogger, type LogFields, type Logger, type LogLevel } from './logger.ts';
export { type Counter, createMetrics, type Histogram, type Metrics } from './metrics.ts';
export { redactText } from './redact.ts';
