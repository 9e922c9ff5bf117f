import { LRUCache } from 'lru-cache';
import type { CacheKey } from './cache-key.ts';
import { heapBytes } from './size.ts';

/** A value in memory. */
export interface Entry<V> {
  readonly value: V;
  /** When it was asked for, milliseconds since the epoch. */
  readonly bornAt: number;
  /** Milliseconds it was to live here, when it came. */
  readonly lifeMs: number;
  /** Milliseconds it has left to live here; negative afterwards. */
  readonly leftMs: () => number;
  /** The source is not asked again before; on the clock that never jumps. */
  pausedUntilMs: number;
}

/** @param leftMs - tells the milliseconds it has left, and now its whole life */
export function newEntry<V>(value: V, bornAt: number, leftMs: () => number): Entry<V> {
  return { value, bornAt, lifeMs: leftMs(), leftMs, pausedUntilMs: Number.NEGATIVE_INFINITY };
}

/** What this process holds of one region: never more than its bytes; what was not used for longest goes first. */
export interface Memory<V> {
  get(key: CacheKey): Entry<V> | undefined;
  /** Keeps an entry, unless it is larger than the whole region. */
  keep(key: CacheKey, entry: Entry<V>): void;
  drop(key: CacheKey): void;
  keys(): Iterable<CacheKey>;
  readonly sizeBytes: number;
  readonly entries: number;
  /** Entries that had to make room for others. */
  readonly evictions: number;
}

/**
 * What an entry takes beside its key and its value: its place in the list, its own object and its clock.
 * `npm run bench:cache` compares the sum with what the process really takes.
 */
const overheadBytes = 400;

/** @param maxBytes - of keys, values and what holds them */
export function createMemory<V>(maxBytes: number): Memory<V> {
  let evictions = 0;
  // Entries that have ended are kept: they may still do when the source is down, and make room like any other.
  const entries = new LRUCache<CacheKey, Entry<V>>({
    maxSize: maxBytes,
    sizeCalculation: ({ value }, key) => overheadBytes + key.length + heapBytes(value),
    dispose: (_entry, _key, reason) => {
      if (reason === 'evict') evictions += 1;
    },
  });
  return {
    get: (key) => entries.get(key),
    keep: (key, entry) => void entries.set(key, entry),
    drop: (key) => void entries.delete(key),
    keys: () => entries.keys(),
    get sizeBytes() {
      return entries.calculatedSize;
    },
    get entries() {
      return entries.size;
    },
    get evictions() {
      return evictions;
    },
  };
}
