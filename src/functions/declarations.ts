import type { TraceHeaders } from '../lib/observability/index.ts';

/** The declaration of a timer function. */
export interface TimerFunction {
  readonly name: string;
  /** NCRONTAB with six fields, in UTC. */
  readonly schedule: string;
  handle(signal: AbortSignal): Promise<void>;
}

/** The request that sent a message, as far as the message tells. */
interface QueueCause {
  readonly correlationId?: string;
  readonly cause: TraceHeaders;
}

/** The declaration of a queue function. A message that makes `handle` throw comes again, up to five times. */
export interface QueueFunction {
  readonly name: string;
  readonly queueName: string;
  handle(message: unknown, signal: AbortSignal): Promise<void>;
  /** The request that sent the message. */
  causeOf(message: unknown): QueueCause;
}
