import type { ContainerClient } from '@azure/storage-blob';
import { type Clock, startLifetime } from '../core/index.ts';
import { codeOf, type Resilience } from '../resilience/index.ts';
import type { BlobAccess } from './account.ts';
import { createCalls } from './calls.ts';
import { statusOf } from './errors.ts';
import type { LeaseLife, Leases } from './lease-lock.ts';

interface BlobLeasesOptions {
  readonly access: () => Promise<BlobAccess>;
  readonly container: string;
  readonly resilience: Resilience;
  readonly clock: Clock;
  /** From 15 to 60 s; whole seconds. */
  readonly leaseMs?: number;
}

/**
 * The longest that a lease may last and still end by itself: renewals are few, and an outage of 25 s is borne.
 * https://learn.microsoft.com/rest/api/storageservices/lease-blob
 */
const longestLeaseMs = 60_000;
/** A lease is a small answer; all tries of the policy (four, and 7 s of waits) fit into half of the longest lease. */
const attemptTimeoutMs = 5_000;

/** `LeaseAlreadyPresent`, and what a lease is between somebody's order to end it and its end. */
const heldCodes = new Set(['LeaseAlreadyPresent', 'LeaseIsBreakingAndCannotBeAcquired']);

/** Leases on empty blobs of one container, each made when it is first asked for. */
export function createBlobLeases({
  access,
  container,
  resilience,
  clock,
  leaseMs = longestLeaseMs,
}: BlobLeasesOptions): Leases {
  const containerClient = async (): Promise<ContainerClient> =>
    (await access()).service.getContainerClient(container);
  const blobClient = async (name: string) => (await containerClient()).getBlockBlobClient(name);
  const call = createCalls({
    clock,
    resilience,
    dependency: 'lease',
    name: container,
    create: async (abortSignal) => (await containerClient()).createIfNotExists({ abortSignal }),
  });
  /** Counts from before the request: the service counts from later, so that our time is over first. */
  const startLife = () => startLifetime(clock, clock.now() + leaseMs);
  const leaseOn = async (name: string, id: string) => (await blobClient(name)).getBlobLeaseClient(id);

  const acquire = async (name: string, id: string, signal: AbortSignal) => {
    const lease = await leaseOn(name, id);
    const attempt = async (abortSignal: AbortSignal): Promise<LeaseLife | 'held' | 'absent'> => {
      const life = startLife();
      return lease.acquireLease(leaseMs / 1000, { abortSignal }).then(() => life, outcomeOfAcquire);
    };
    return call('acquire lease', attempt, { signal, timeoutMs: attemptTimeoutMs });
  };
  const makeBlob = async (name: string, signal: AbortSignal) => {
    const blob = await blobClient(name);
    const put = (abortSignal: AbortSignal) =>
      blob.upload('', 0, { conditions: { ifNoneMatch: '*' }, abortSignal }).catch(ignoreExisting);
    await call('put blob', put, { signal });
  };

  return {
    async acquire(name, id, signal) {
      let outcome = await acquire(name, id, signal);
      if (outcome === 'absent') {
        await makeBlob(name, signal);
        outcome = await acquire(name, id, signal);
      }
      return typeof outcome === 'function' ? outcome : undefined;
    },
    async renew(name, id, signal) {
      const lease = await leaseOn(name, id);
      const attempt = async (abortSignal: AbortSignal): Promise<LeaseLife | undefined> => {
        const life = startLife();
        return lease.renewLease({ abortSignal }).then(() => life, ignoreLost);
      };
      return call('renew lease', attempt, { signal, timeoutMs: attemptTimeoutMs });
    },
    async release(name, id, signal) {
      const lease = await leaseOn(name, id);
      const attempt = (abortSignal: AbortSignal) => lease.releaseLease({ abortSignal }).catch(ignoreLost);
      await call('release lease', attempt, { signal, timeoutMs: attemptTimeoutMs });
    },
  };
}

function outcomeOfAcquire(error: unknown): 'held' | 'absent' {
  const code = codeOf(error);
  if (heldCodes.has(code)) return 'held';
  if (code === 'BlobNotFound') return 'absent';
  throw error;
}

/** Whoever was first has made it, and may hold it already. */
function ignoreExisting(error: unknown): undefined {
  if (statusOf(error) !== 409 && statusOf(error) !== 412) throw error;
}

/** The lease was released (our answer may have been lost), has ended, or is another's; or the blob has gone. */
function ignoreLost(error: unknown): undefined {
  const status = statusOf(error);
  if (status !== 404 && status !== 409 && status !== 412) throw error;
}
