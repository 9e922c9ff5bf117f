import { systemClock } from '../../../src/lib/core/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createAzureIdentity } from '../../../src/lib/security/index.ts';
import { createAccountClients } from '../../../src/lib/storage/account.ts';
import { createBlobLeases } from '../../../src/lib/storage/blob-leases.ts';
import { resolveAccount } from '../../../src/lib/storage/connection.ts';
import type { LeaseLock } from '../../../src/lib/storage/index.ts';
import { createLeaseLock, type Leases } from '../../../src/lib/storage/lease-lock.ts';

const clock = systemClock;

/** Leases on blobs that last as long as one likes, from 15 s. */
export function openLeases(connectionString: string, container: string, leaseMs: number): Leases {
  const account = resolveAccount({ kind: 'connection-string', value: connectionString });
  const { blob } = createAccountClients(account, createAzureIdentity(undefined), () => undefined);
  const resilience = createResilience({ clock });
  return createBlobLeases({ access: blob, container, resilience, clock, leaseMs });
}

/** A lock whose leases last as long as one likes. */
export function openLocks(connectionString: string, container: string, leaseMs: number): LeaseLock {
  return createLeaseLock({ leases: openLeases(connectionString, container, leaseMs), clock });
}
