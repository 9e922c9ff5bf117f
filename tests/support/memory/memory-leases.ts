import { type Clock, startLifetime } from '../../../src/lib/core/index.ts';
import type { Leases } from '../../../src/lib/storage/lease-lock.ts';

interface Lease {
  readonly id: string;
  readonly endsAtMs: number;
}

/** Leases in memory, as a service of its own grants them; keeps the same contract as the real one. */
export function memoryLeases(clock: Clock, leaseMs = 60_000): Leases {
  const held = new Map<string, Lease>();
  const holderOf = (name: string) => {
    const lease = held.get(name);
    return lease && clock.monotonicMs() < lease.endsAtMs ? lease.id : undefined;
  };
  const grant = (name: string, id: string) => {
    held.set(name, { id, endsAtMs: clock.monotonicMs() + leaseMs });
    return startLifetime(clock, clock.now() + leaseMs);
  };
  return {
    async acquire(name, id, signal) {
      signal.throwIfAborted();
      return [undefined, id].includes(holderOf(name)) ? grant(name, id) : undefined;
    },
    async renew(name, id, signal) {
      signal.throwIfAborted();
      return holderOf(name) === id ? grant(name, id) : undefined;
    },
    async release(name, id, signal) {
      signal.throwIfAborted();
      if (holderOf(name) === id) held.delete(name);
    },
  };
}
