import { toTimestamp } from '../core/index.ts';
import type { InvocationContext } from './correlation.ts';
import type { LogLevel } from './log-level.ts';
import { placeOf, printable } from './printable.ts';
import type { currentTrace } from './trace-context.ts';

/** Facts of a log line beside its message. `error` may be anything that was thrown. */
export interface LogFields {
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

/** What a line is made of. */
export interface Said {
  readonly level: LogLevel;
  readonly module: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly message: string;
  readonly fields: LogFields;
  readonly context: InvocationContext | undefined;
  readonly trace: ReturnType<typeof currentTrace>;
}

/** The line as JSON will hold it: bounded and without secrets. */
export function lineOf({ level, module, at, message, fields, context, trace }: Said): object {
  const printed = printable(fields);
  const head = {
    timestamp: toTimestamp(at),
    level,
    logger: 'crownsafe',
    message: printable(message),
    module,
  };
  return {
    ...head,
    function: context?.functionName,
    line: placeOf(printed),
    request_id: context?.requestId,
    correlation_id: context?.correlationId,
    user_id: context?.userId,
    resource: context?.resource,
    trace_id: trace?.traceId,
    span_id: trace?.spanId,
    ...(typeof printed === 'object' ? printed : { fields: printed }),
    // Again, because no field may stand for what the line itself says; the first keeps them in front.
    ...head,
  };
}
