import * as z from 'zod';
import { type Clock, rejectOnAbort, singleFlight, startDeadline } from '../core/index.ts';
import type { Logger } from '../observability/index.ts';

/** The answer to "can this instance do its work?"; tells nothing of why not. */
export const readinessShape = z.strictObject({
  status: z.enum(['ok', 'unavailable']),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      status: z.enum(['ok', 'degraded', 'failed']),
      latency_ms: z.number(),
    }),
  ),
});

type Readiness = z.infer<typeof readinessShape>;

/** Something this service cannot do without. */
export interface CriticalCheck {
  readonly name: string;
  /** Rejects when the dependency is not usable. */
  ping(signal: AbortSignal): Promise<void>;
}

interface ReadinessPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** An instance that is being stopped takes no more work, whatever its dependencies say. */
  isStopping(): boolean;
  readonly checks: readonly CriticalCheck[];
}

/** Probes of load balancers give up after a few seconds; a slower answer is a failure to them anyway. */
const checkTimeoutMs = 3_000;
/** A dependency that answers, but slower than this, is worth a look. */
const slowMs = 1_000;

/**
 * Makes the readiness check: all critical checks side by side, each with its own short time. Whoever asks while it runs gets
 * the same answer: anybody may ask, and must not be able to keep the dependencies busy.
 */
export function createReadiness({
  clock,
  logger,
  checks,
  isStopping,
}: ReadinessPorts): () => Promise<Readiness> {
  const run = async ({ name, ping }: CriticalCheck) => {
    using deadline = startDeadline(clock, checkTimeoutMs);
    const startedMs = clock.monotonicMs();
    const elapsedMs = () => Math.round(clock.monotonicMs() - startedMs);
    try {
      // A ping that does not stop when told to must not hold up the answer.
      await rejectOnAbort(ping(deadline.signal), deadline.signal);
      return {
        name,
        status: elapsedMs() > slowMs ? ('degraded' as const) : ('ok' as const),
        latency_ms: elapsedMs(),
      };
    } catch (error) {
      logger.warning('a critical check failed', { check: name, error });
      return { name, status: 'failed' as const, latency_ms: elapsedMs() };
    }
  };
  return singleFlight(async () => {
    if (isStopping()) return { status: 'unavailable', checks: [] };
    const results = await Promise.all(checks.map(run));
    return {
      status: results.some(({ status }) => status === 'failed') ? 'unavailable' : 'ok',
      checks: results,
    };
  });
}
