import type pg from 'pg';
import { addressOf, type DatabaseSource } from './address.ts';
import { activeConnections, createPool, type PoolState } from './pool.ts';

/** The connections to an address that may be replaced. */
export interface RotatingPool {
  /** The pool of the address as it is now; connects at the first use. */
  current(): pg.Pool;
  state(): PoolState;
  close(): Promise<void>;
}

/**
 * Makes a pool that follows its address: once there is another one, new connections go there; what is going on with the old one
 * ends by itself, and idle connections are closed at once.
 */
export function createRotatingPool(source: DatabaseSource, maxConnections: number): RotatingPool {
  let newest: { readonly address: unknown; readonly pool: pg.Pool } | undefined;
  const open = new Set<pg.Pool>();
  const ends = new Set<Promise<void>>();

  const end = (pool: pg.Pool) => {
    if (!open.delete(pool)) return;
    const ended = pool.end().finally(() => ends.delete(ended));
    ends.add(ended);
  };
  /** Whoever waits for a connection of a pool that ends would wait in vain. */
  const retire = (pool: pg.Pool) => {
    const endUnlessAwaited = () => {
      if (pool.waitingCount === 0) end(pool);
    };
    pool.on('acquire', endUnlessAwaited);
    pool.on('release', endUnlessAwaited);
    endUnlessAwaited();
  };
  return {
    current() {
      const address = addressOf(source);
      if (newest?.address === address) return newest.pool;
      if (newest) retire(newest.pool);
      const pool = createPool(address, maxConnections);
      open.add(pool);
      newest = { address, pool };
      return pool;
    },
    state: () => ({
      active: [...open].reduce((sum, pool) => sum + activeConnections(pool), 0),
      max: maxConnections,
    }),
    async close() {
      for (const pool of open) end(pool);
      await Promise.all(ends);
    },
  };
}
