import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { type Clock, startLifetime } from '../core/index.ts';
import type { CacheKey } from './cache-key.ts';
import type { CacheRow, CacheTable, FoundRow, SharedTable } from './shared-table.ts';

/** A value as the table has it. */
export interface SharedValue<V> {
  readonly value: V;
  /** When it was asked for, milliseconds since the epoch. */
  readonly bornAt: number;
  /** Milliseconds it has left to live. */
  readonly leftMs: () => number;
}

/** A value that is to be shared. */
export interface NewValue<V> {
  readonly value: V;
  readonly bornAt: number;
  readonly lifeMs: number;
}

/** What was found at the place of a key. */
export interface Finding<V> {
  readonly found: SharedValue<V> | undefined;
  /** When the key was taken back, milliseconds since the epoch; `-Infinity` when that is not known. */
  readonly takenBackAt: number;
  /** Puts a value there, unless somebody has written there since: an invalidation is never overwritten. Never rejects. */
  fill(made: NewValue<V>): Promise<void>;
}

/** The values of one region that all instances share. Nothing here rejects. */
export interface SharedValues<V> {
  /** `undefined` when the table cannot tell, or must not be asked now. */
  find(key: CacheKey): Promise<Finding<V> | undefined>;
  /** Puts a value there, unless a later one is. @returns false when the table could not be reached */
  put(key: CacheKey, made: NewValue<V>): Promise<boolean>;
  /** Takes a value back, also before it is there. @returns false when the table could not be reached */
  takeBack(key: CacheKey): Promise<boolean>;
  /** Takes back all values that are there and whose key begins so. @returns false when not all could be reached */
  takeBackAll(prefix: CacheKey): Promise<boolean>;
}

interface SharedValuesOptions<V> {
  readonly region: string;
  readonly shape: z.ZodType<V>;
  /** The longest a value may live, whatever its row says. */
  readonly ttlMs: number;
  readonly table: SharedTable;
  readonly clock: Clock;
}

/** Azure Table Storage takes 64 KiB a column, in UTF-16. */
const maxTextLength = 32_768;
/** As many round trips as the policies of the table let run at a time. */
const marksAtOnce = 10;
/** All rows of a region are looked through, and each that is meant is read and written: 4,096 at most, twice 5 ms, ten at a time. */
const takeBackAllLimitMs = 10_000;

/**
 * Keeps the values of a region in up to 4,096 rows, the place of a key being its hash: a new value overwrites whatever is
 * there, so nothing grows and nothing has to be tidied away.
 */
export function createSharedValues<V>(options: SharedValuesOptions<V>): SharedValues<V> {
  const { region, shape, ttlMs, table, clock } = options;
  /** Prefixes that are being written: what lies under them may be old. */
  const beingWritten = new Set<{ readonly prefix: string; readonly end: Promise<void> }>();
  /** Rows from before are not believed: a write that was to replace some of them did not come through. */
  let believedFrom = Number.NEGATIVE_INFINITY;

  /**
   * Writes under a prefix, after what is being written there: of two round trips, the first to start may end last.
   *
   * @param options - `isVital`: what stands there must not be believed if it does not come through
   */
  async function write(
    prefix: string,
    work: Parameters<SharedTable['write']>[0],
    { limitMs, isVital = true }: { readonly limitMs?: number; readonly isVital?: boolean } = {},
  ): Promise<boolean> {
    const earlier = [...beingWritten].filter((mark) => mark.prefix.startsWith(prefix)).map(({ end }) => end);
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const mark = { prefix, end };
    beingWritten.add(mark);
    const written = await table.write(async (...rows) => {
      await Promise.all(earlier);
      await work(...rows);
    }, limitMs);
    if (!written && isVital) believedFrom = clock.now();
    beingWritten.delete(mark);
    resolve();
    return written !== undefined;
  }

  function readValue({ entity }: FoundRow, key: CacheKey): SharedValue<V> | undefined {
    const { value: text, born_at: bornAt, expires_at: expiresAt } = entity;
    const isWhole = typeof text === 'string' && bornAt instanceof Date && expiresAt instanceof Date;
    if (!isWhole || entity['key'] !== key || bornAt.getTime() < believedFrom) return undefined;
    const latestEnd = Math.min(bornAt.getTime(), clock.now()) + ttlMs;
    const leftMs = startLifetime(clock, Math.min(expiresAt.getTime(), latestEnd));
    const value = parse(shape, text);
    return value && leftMs() > 0 ? { ...value, bornAt: bornAt.getTime(), leftMs } : undefined;
  }

  return {
    async find(key) {
      if ([...beingWritten].some(({ prefix }) => key.startsWith(prefix))) return undefined;
      const attempt = await table.read((rows, signal) => rows.get(region, placeOf(key), { signal }));
      if (!attempt) return undefined;
      const { result: row } = attempt;
      return {
        found: row && readValue(row, key),
        takenBackAt: row ? takenBackAt(row, key) : Number.NEGATIVE_INFINITY,
        async fill(made) {
          const fillRow = async (rows: CacheTable, signal: AbortSignal) => {
            const filled = rowOf(region, key, made);
            if (filled.value === undefined) return;
            await (row
              ? rows.replace(filled, { signal, ifMatch: row.etag })
              : rows.insert(filled, { signal }));
          };
          await write(key, fillRow, { isVital: false });
        },
      };
    },
    put: (key, made) => write(key, (rows, signal) => putRow(rows, rowOf(region, key, made), signal)),
    takeBack: (key) => write(key, (rows, signal) => putRow(rows, markOf(region, key, clock.now()), signal)),
    takeBackAll: (prefix) =>
      write(prefix, (rows, signal) => takeBackRows(rows, prefix, signal), { limitMs: takeBackAllLimitMs }),
  };

  /**
   * Writes a row, whatever is there. If that was made later than this one, whose request may have been slower, a value
   * makes way for it; a mark does not, but takes its time on: it costs hits, and an old value would cost more.
   */
  async function putRow(rows: CacheTable, row: CacheRow, signal: AbortSignal): Promise<void> {
    for (let done = false; !done; ) {
      const standing = await rows.get(region, row.rowKey, { signal });
      const later = standing && laterThan(row, standing, clock.now());
      if (later && row.value !== undefined) return;
      const newRow = later ? { ...row, born_at: later } : row;
      done = await (standing
        ? rows.replace(newRow, { signal, ifMatch: standing.etag })
        : rows.insert(newRow, { signal }));
    }
  }

  async function takeBackRows(rows: CacheTable, prefix: string, signal: AbortSignal): Promise<void> {
    const keys: string[] = [];
    for await (const { entity } of rows.query({ partitionKey: region }, { signal })) {
      const { key } = entity;
      if (typeof key === 'string' && key.startsWith(prefix)) keys.push(key);
    }
    for (let from = 0; from < keys.length; from += marksAtOnce) {
      const marks = keys.slice(from, from + marksAtOnce).map((key) => markOf(region, key, clock.now()));
      await Promise.all(marks.map((mark) => putRow(rows, mark, signal)));
    }
  }
}

/** When a row of the same key was made, if that was after a time, and not in the future, which only a wrong clock knows. */
function laterThan({ key, born_at: since }: CacheRow, { entity }: FoundRow, now: number): Date | undefined {
  const { key: itsKey, born_at: at } = entity;
  return itsKey === key && at instanceof Date && at > since && at.getTime() <= now ? at : undefined;
}

function placeOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 3);
}

/** Without a value when it is too long: the row then only says that older values are not to be used. */
function rowOf<V>(region: string, key: string, { value, bornAt, lifeMs }: NewValue<V>): CacheRow {
  const text = JSON.stringify(value);
  const mark = markOf(region, key, bornAt);
  if (text.length > maxTextLength) return mark;
  return { ...mark, value: text, expires_at: new Date(bornAt + lifeMs) };
}

/** The row of a key that was taken back. */
function markOf(region: string, key: string, at: number): CacheRow {
  return { partitionKey: region, rowKey: placeOf(key), key, born_at: new Date(at) };
}

function takenBackAt({ entity }: FoundRow, key: CacheKey): number {
  const { key: itsKey, value, born_at: at } = entity;
  const isMark = itsKey === key && value === undefined && at instanceof Date;
  return isMark ? at.getTime() : Number.NEGATIVE_INFINITY;
}

/** Boxed, since a value may be null; `undefined` for what is no such value. */
function parse<V>(shape: z.ZodType<V>, text: string): { readonly value: V } | undefined {
  try {
    const { data, success } = shape.safeParse(JSON.parse(text));
    return success ? { value: data } : undefined;
  } catch {
    return undefined;
  }
}
