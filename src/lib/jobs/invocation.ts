import { type Clock, type Lifecycle, newId, startDeadline } from '../core/index.ts';
import { type InvocationContext, type Logger, runInContext } from '../observability/index.ts';

/** What the platform tells of an invocation that is not HTTP. */
interface BackgroundInvocation {
  readonly invocationId: string;
  readonly functionName: string;
  readonly writeLog: InvocationContext['write'];
  /** Of the request that caused this work, where there was one. */
  readonly correlationId?: string;
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
  const context: InvocationContext = {
    correlationId: invocation.correlationId ?? newId(),
    functionName: invocation.functionName,
    requestId: invocation.invocationId,
    write: invocation.writeLog,
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
    } catch (error) {
      logger.error('function failed', { ...duration(), error });
      throw error;
    } finally {
      context.write = undefined;
    }
  });
}
