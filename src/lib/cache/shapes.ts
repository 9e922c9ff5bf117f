import * as z from 'zod';

/** In percent with one decimal; null when nothing was looked up. */
const rate = z.number().nullable();

const lookups = {
  hits: z.int(),
  misses: z.int(),
  hit_rate: rate,
  /** Of the last quarter of an hour. */
  recent: z.strictObject({ lookups: z.int(), hit_rate: rate }),
  entries: z.int(),
  size_bytes: z.int(),
};

/**
 * What one region has done since the process started. Each caller counts once, when it has its answer: as a hit when it
 * got a value that was kept, here or (`table_hits`, a part of the hits) in the table; as a miss in all other cases. So a
 * caller who waits for somebody else's load is a miss, like one who leaves or is given an old value (`stale_served`): the
 * hit rate says how many were spared the wait. How many the source was spared is `misses - loads`.
 */
const regionStatisticsShape = z.strictObject({
  name: z.string(),
  shared: z.boolean(),
  ...lookups,
  max_bytes: z.int(),
  evictions: z.int(),
  /** Times the source was asked, also to renew a value ahead. */
  loads: z.int(),
  load_failures: z.int(),
  table_hits: z.int(),
  stale_served: z.int(),
});

/** All regions of one process, and their sums. */
export const cacheStatisticsShape = z.strictObject({
  /** Which process answered: each has a memory of its own. */
  instance: z.string(),
  window_seconds: z.int(),
  ...lookups,
  /** Calls to the table that failed or were late. */
  table_failures: z.int(),
  regions: z.array(regionStatisticsShape),
});

export type CacheStatistics = z.infer<typeof cacheStatisticsShape>;
