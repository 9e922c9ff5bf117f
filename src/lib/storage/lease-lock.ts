import {
  AppError,
  type Clock,
  linkAbort,
  newId,
  rejectOnAbort,
  sleep,
  startDeadline,
} from '../core/index.ts';
import type { LeaseLock } from './ports.ts';

/** Tells how many milliseconds a lease is surely still ours. */
export type LeaseLife = () => number;

/** Leases as the service grants them. Each method is one step that may be repeated. */
export interface Leases {
  /** Takes a lease under an id of ours, or takes it anew when it is ours already. `undefined` while it is another's. */
  acquire(name: string, id: string, signal: AbortSignal): Promise<LeaseLife | undefined>;
  /** `undefined` when it is ours no longer. */
  renew(name: string, id: string, signal: AbortSignal): Promise<LeaseLife | undefined>;
  /** Frees a lease if it is ours. */
  release(name: string, id: string, signal: AbortSignal): Promise<void>;
}

interface LeaseLockOptions {
  readonly leases: Leases;
  readonly clock: Clock;
}

/**
 * Work hears this long before the end of a lease that it cannot be kept, and has as long to stop. Far more than two
 * clocks drift apart in a minute.
 */
const stopMs = 5_000;
/** A service that is out of reach is asked again after this time, or there would be ever more requests near the end. */
const leastPauseMs = 1_000;
/** No timer tells that the machine slept: so long may work go on afterwards with a lock that has ended. */
const lookMs = 1_000;
/** A lease that could not be given back ends by itself; nobody waits longer than this for it. */
const releaseTimeoutMs = 5_000;

/** Locks that are leases on something of the same name; see {@link LeaseLock}. */
export function createLeaseLock({ leases, clock }: LeaseLockOptions): LeaseLock {
  return {
    async withLease(name, work, { signal }) {
      // Ours before it is asked for: when the answer is lost, the repeated request meets its own lease.
      const id = newId();
      const life = await leases.acquire(name, id, signal);
      if (!life) return false;
      const lease: HeldLease = { life };
      using run = linkAbort(signal);
      // Not the caller's: work that was told to end still holds the lock until it has.
      using keeper = linkAbort();
      const renew = (within: AbortSignal) => leases.renew(name, id, within);
      const keeping = keepLease(clock, lease, renew, keeper.signal).catch((loss) => {
        if (!keeper.signal.aborted) run.abort(loss);
      });
      // A process that stood still may come here before any timer has told it.
      const throwIfOver = () => {
        run.signal.throwIfAborted();
        requireUsableMs(lease);
      };
      try {
        throwIfOver();
        await work(run.signal);
        throwIfOver();
        return true;
      } finally {
        keeper.abort(new Error('The work has ended'));
        await keeping;
        await release(name, id);
      }
    },
  };

  async function release(name: string, id: string): Promise<void> {
    using deadline = startDeadline(clock, releaseTimeoutMs);
    // The policies have logged why; the lease ends by itself.
    await rejectOnAbort(leases.release(name, id, deadline.signal), deadline.signal).catch(() => {});
  }
}

/** What a holder knows of its lease. */
interface HeldLease {
  life: LeaseLife;
  /** Why the last renewal got no answer. */
  outage?: unknown;
}

/** @throws AppError `unavailable` when the time to stop has come */
function requireUsableMs({ life, outage }: HeldLease): number {
  const usableMs = life() - stopMs;
  if (usableMs > 0) return usableMs;
  throw new AppError('unavailable', 'The lock was not renewed in time', { cause: outage });
}

/**
 * Renews a lease whenever half of its time is over, which leaves the other half for retries.
 *
 * @throws AppError `conflict` when the lease is ours no longer, `unavailable` when nobody could tell in time; the
 * signal's reason when it aborts
 */
async function keepLease(
  clock: Clock,
  lease: HeldLease,
  renew: (signal: AbortSignal) => Promise<LeaseLife | undefined>,
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    const usableMs = requireUsableMs(lease);
    const untilMs = Math.max(0, usableMs - Math.max(leastPauseMs, usableMs / 2));
    for (let waitMs = usableMs - untilMs; waitMs > 0; waitMs = requireUsableMs(lease) - untilMs) {
      await sleep(clock, Math.min(waitMs, lookMs), signal);
    }
    using deadline = startDeadline(clock, requireUsableMs(lease), signal);
    const asked = rejectOnAbort(renew(deadline.signal), deadline.signal);
    const renewed = await asked.catch((error: unknown) => ({ error }));
    if (!renewed) throw new AppError('conflict', 'The lock has gone to another');
    if (typeof renewed === 'function') lease.life = renewed;
    else lease.outage = renewed.error;
  }
}
