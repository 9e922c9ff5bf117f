import { LRUCache } from 'lru-cache';
import type { CacheKey } from './cache-key.ts';

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
/** Bytes of a word of V8, which in Node.js does not compress pointers. */
const word = 8;
/** Beyond Latin-1, which V8 keeps in one byte each. */
const hasWideCharacters = /[^\0-\xff]/;

/** @param maxBytes - of keys, values and what holds them */
export function createMemory<V>(maxBytes: number): Memory<V> {
  let evictions = 0;
  // Entries that have ended are kept: they may still do when the source is down, and make room like any other.
  const entries = new LRUCache<CacheKey, Entry<V>>({
    maxSize: maxBytes,
    sizeCalculation: ({ value }, key) => overheadBytes + heapBytes(key) + heapBytes(value),
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

/**
 * Bytes that a value takes of the heap, for plain data as JSON has it: objects have three words and one for each property,
 * lists six and one for each item, texts two and one or two bytes for each character, fractions two. Names of properties
 * are shared by all objects of a shape. `npm run bench:cache` holds it against what the process really takes.
 */
function heapBytes(value: unknown): number {
  if (typeof value === 'string') return 2 * word + value.length * (hasWideCharacters.test(value) ? 2 : 1);
  if (typeof value === 'number') return Number.isInteger(value) ? 0 : 2 * word;
  if (typeof value !== 'object' || value === null) return 0;
  const parts: readonly unknown[] = Object.values(value);
  const own = (Array.isArray(value) ? 6 : 3) * word;
  return parts.reduce<number>((sum, part) => sum + word + heapBytes(part), own);
}
