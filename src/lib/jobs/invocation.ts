import { type Clock, type Lifecycle, newId, startDeadline } from '../core/index.ts';
import {
  type InvocationContext,
  type Logger,
  runInContext,
  startInvocationSpan,
  type TraceHeaders,
  writeKeptLines,
} from '../observability/index.ts';

/** What the platform tells of an invocation that is not HTTP. */
export interface BackgroundInvocation {
  readonly invocationId: string;
  readonly functionName: string;
  readonly writeLog: InvocationContext['write'];
  /** Of the request that caused this work, where there was one. */
  readonly correlationId?: string;
  /** Where that request stood in its trace. */
  readonly cause?: TraceHeaders;
  /** Where the platform's own span of this invocation stands in its trace. */
  readonly trace?: TraceHeaders;
  /** The queue whose message this is; left out for a timer. */
  readonly queueName?: string;
}

/** `functionTimeout` of host.json (30 min) less half a minute to end in order: the platform ends a whole process. */
const timeoutMs = 30 * 60_000 - 30_000;

/**
 * Runs background work with context, deadline and log lines. An error is logged and passed on, so that the platform counts
 * the invocation as failed and, for queues, delivers the message again. While the process stops, no work is begun.
 */
export async function runInvocation(
  ports: { readonly clock: Clock; readonly logger: Logger; readonly lifecycle: Lifecycle },
  invocation: BackgroundInvocation,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { clock, logger, lifecycle } = ports;
  const correlationId = invocation.correlationId ?? newId();
  const span = startInvocationSpan({
    ...kindOf(invocation),
    correlationId,
    host: invocation.trace,
    cause: invocation.cause,
  });
  const context: InvocationContext = {
    correlationId,
    functionName: invocation.functionName,
    requestId: invocation.invocationId,
    write: invocation.writeLog,
    span,
  };
  await runInContext(context, async () => {
    using activity = lifecycle.begin();
    using deadline = startDeadline(clock, timeoutMs, activity.signal);
    const startedMs = clock.monotonicMs();
    const duration = () => ({ duration_ms: Math.round(clock.monotonicMs() - startedMs) });
    try {
      lifecycle.throwIfStopping();
      await work(deadline.signal);
      logger.info('function succeeded', duration());
      span.end();
    } catch (error) {
      writeKeptLines();
      logger.error('function failed', { ...duration(), error });
      span.end({}, error);
      throw error;
    } finally {
      context.write = undefined;
    }
  });
}

/** By the conventions for messages (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/) and functions. */
function kindOf({ functionName, queueName }: BackgroundInvocation) {
  if (queueName === undefined) return { trigger: 'timer' as const, name: functionName, attributes: {} };
  return {
    trigger: 'pubsub' as const,
    name: `process ${queueName}`,
    attributes: {
      'messaging.system': 'azure_storage_queue',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.destination.name': queueName,
    },
  };
}
