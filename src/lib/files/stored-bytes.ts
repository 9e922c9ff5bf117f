import * as z from 'zod';
import { type Caches, cacheKey } from '../cache/index.ts';
import type { Database } from '../database/index.ts';
import { sumOfSizes } from './repository.ts';

/** The sum reads the whole table, and a chart of it has a point every few minutes. */
const ttlMs = 5 * 60_000;
/** An old sum is better than a gap in the chart while the database is down; later it would only look like a sum. */
const staleMs = 15 * 60_000;
/** One number. */
const maxBytes = 4_096;

/**
 * Makes the reader of how much is stored. All instances share one sum: each is asked by every scrape, and together they
 * would keep the database busy with it.
 */
export function createStoredBytes({
  database,
  caches,
}: {
  readonly database: Database;
  readonly caches: Caches;
}): (signal: AbortSignal) => Promise<number> {
  const region = caches.region({
    name: 'stored-bytes',
    shared: true,
    shape: z.int().nonnegative(),
    ttlMs,
    staleMs,
    maxBytes,
  });
  const load = (signal: AbortSignal) => database.read('sum of sizes', signal, sumOfSizes);
  return (signal) => region.get(cacheKey('all'), load, signal);
}
