import type { Clock } from '../core/index.ts';

/** How much somebody may do: so much at once, and as much again in each window, given back evenly. */
export interface Quota {
  readonly requests: number;
  readonly windowSeconds: number;
}

/** What somebody has left, in requests; whoever lets one through takes 1 away. */
export interface Bucket {
  tokens: number;
}

/** A token bucket for each of many. */
export interface TokenBuckets {
  /** The bucket of somebody as it stands now. */
  of(key: string): Bucket;
  /** Milliseconds until a bucket holds another whole request; 0 for one that is full. */
  nextMs(bucket: Bucket): number;
}

/**
 * Makes the buckets of one quota. Memory is bounded: beyond `maxBuckets`, whoever came least recently is forgotten, and begins
 * with a full bucket when it comes again; most of these have filled up by then anyway.
 */
export function createTokenBuckets(clock: Clock, quota: Quota, maxBuckets: number): TokenBuckets {
  const perMs = quota.requests / (quota.windowSeconds * 1000);
  const buckets = new Map<string, Bucket & { filledAtMs: number }>();
  return {
    of(key) {
      const nowMs = clock.monotonicMs();
      const bucket = buckets.get(key) ?? { tokens: quota.requests, filledAtMs: nowMs };
      bucket.tokens = Math.min(quota.requests, bucket.tokens + (nowMs - bucket.filledAtMs) * perMs);
      bucket.filledAtMs = nowMs;
      // A map keeps the order in which keys came in: now this one is the newest.
      buckets.delete(key);
      buckets.set(key, bucket);
      if (buckets.size > maxBuckets) buckets.delete(buckets.keys().next().value ?? key);
      return bucket;
    },
    nextMs: ({ tokens }) =>
      tokens >= quota.requests ? 0 : Math.max(0, Math.floor(tokens) + 1 - tokens) / perMs,
  };
}
