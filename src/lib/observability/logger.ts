import { type Clock, toTimestamp } from '../core/index.ts';
import { currentContext } from './correlation.ts';
import { type LogLevel, logLevels } from './log-level.ts';
import { printable } from './printable.ts';
import { currentTrace } from './trace-context.ts';

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

/** Makes a logger of JSON lines: timestamp, level, message, module, context of the invocation, fields; secrets redacted by shape. */
export function createLogger(options: LoggerOptions): Logger {
  const { clock, level: threshold, write, module = 'app' } = options;
  const log = (level: LogLevel) => {
    if (logLevels.indexOf(level) < logLevels.indexOf(threshold)) return () => {};
    return (message: string, fields: LogFields = {}) => {
      const context = currentContext();
      const trace = currentTrace();
      const printed = printable(fields);
      const head = {
        timestamp: toTimestamp(clock.now()),
        level,
        logger: 'crownsafe',
        message: printable(message),
        module,
      };
      const line = {
        ...head,
        function: context?.functionName,
        request_id: context?.requestId,
        correlation_id: context?.correlationId,
        user_id: context?.userId,
        trace_id: trace?.traceId,
        span_id: trace?.spanId,
        ...(typeof printed === 'object' ? printed : { fields: printed }),
        // Again, because no field may stand for what the line itself says; the first keeps them in front.
        ...head,
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
