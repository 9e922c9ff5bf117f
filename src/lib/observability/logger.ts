import type { Clock } from '../core/index.ts';
import { currentContext, type InvocationContext } from './correlation.ts';
import { keepLine } from './kept-lines.ts';
import { memoOf } from './line-memo.ts';
import { type LogLevel, logLevels } from './log-level.ts';
import { type LogFields, lineOf } from './log-line.ts';
import { currentTrace } from './trace-context.ts';

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

/**
 * Makes a logger of JSON lines: timestamp, level, message, module, context of the invocation, fields; secrets redacted by
 * shape. What is less severe than its level is kept while an invocation lasts, see {@link writeKeptLines}.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { clock, level: threshold, module = 'app' } = options;

  const log = (level: LogLevel) => {
    const write = (message: string, fields: LogFields = {}) => {
      const context = currentContext();
      writeLine(
        context,
        level,
        lineOf({ level, module, at: clock.now(), message, fields, context, trace: currentTrace() }),
      );
    };
    const keep = (message: string, fields: LogFields = {}) => {
      const context = currentContext();
      if (!context) return;
      const { size, line } = memoOf({
        level,
        module,
        at: clock.now(),
        message,
        fields,
        context,
        trace: currentTrace(),
      });
      keepLine(context, { size, write: (more) => writeLine(context, level, { ...line(), ...more }) });
    };
    return logLevels.indexOf(level) < logLevels.indexOf(threshold) ? keep : write;
  };

  function writeLine(context: InvocationContext | undefined, level: LogLevel, line: object): void {
    const text = JSON.stringify(line);
    if (context?.write) context.write(level, text);
    else options.write(text);
  }

  return {
    debug: log('debug'),
    info: log('info'),
    warning: log('warning'),
    error: log('error'),
    child: (name) => createLogger({ ...options, module: name }),
  };
}
