import { type Clock, toTimestamp } from '../core/index.ts';
import { currentContext } from './correlation.ts';
import { type LogLevel, logLevels } from './log-level.ts';
import { isSecretName, redactText } from './redact.ts';

/** Facts of a log line beside its message. `error` may be anything that was thrown. */
export interface LogFields {
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

/** Writes log lines. Messages are sentences without data; data goes into fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger for one module; its name stands in every line. */
  child(module: string): Logger;
}

interface LoggerOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  /** Receives one JSON line, without newline, of what happens outside of an invocation. */
  readonly write: (line: string) => void;
  readonly module?: string;
}

/** Depth and size bounds keep one strange value from flooding the log. */
const maxDepth = 6;
const maxTextLength = 8_192;

/** Makes a logger of JSON lines: timestamp, level, message, module, context of the invocation, fields; secrets redacted by shape. */
export function createLogger(options: LoggerOptions): Logger {
  const { clock, level: threshold, write, module = 'app' } = options;
  const log = (level: LogLevel) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(threshold)) return () => {};
    return (message: string, fields: LogFields = {}) => {
      const context = currentContext();
      const line = {
        timestamp: toTimestamp(clock.now()),
        level,
        logger: 'crownsafe',
        message: redactText(message),
        module,
        function: context?.functionName,
        request_id: context?.requestId,
        correlation_id: context?.correlationId,
        user_id: context?.userId,
        ...(printable(fields, 0, new Set()) as object),
      };
      const text = JSON.stringify(line);
      if (context?.write) context.write(level, text);
      else write(text);
    };
  };
  return {
    debug: log('debug'),
    info: log('info'),
    warning: log('warning'),
    error: log('error'),
    child: (name) => createLogger({ ...options, module: name }),
  };
}

/** Turns any value into one that JSON can hold: bounded, without cycles and without secrets. */
function printable(value: unknown, depth: number, ancestors: ReadonlySet<object>): unknown {
  if (typeof value === 'string') return redactText(value.slice(0, maxTextLength));
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (ancestors.has(value)) return '[circular]';
  if (depth >= maxDepth) return '[too deep]';
  const within = new Set([...ancestors, value]);
  if (value instanceof Error) return printableError(value, depth, within);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return value.slice(0, 100).map((entry) => printable(entry, depth + 1, within));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 100)
      .map(([name, entry]) => [
        name,
        isSecretName(name) ? '[redacted]' : printable(entry, depth + 1, within),
      ]),
  );
}

/** Only these four properties, never all: errors of SDKs carry whole requests. */
function printableError(error: Error, depth: number, ancestors: ReadonlySet<object>): object {
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    message: redactText(error.message.slice(0, maxTextLength)),
    stack: error.stack && redactText(error.stack.slice(0, maxTextLength)),
    cause: error.cause === undefined ? undefined : printable(error.cause, depth + 1, ancestors),
  };
}
