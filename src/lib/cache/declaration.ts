import type * as z from 'zod';
import type { CacheKey } from './cache-key.ts';

/** What is kept in a region, and for how long. */
export type RegionDeclaration<V> = {
  /** Lower case with hyphens; a new one when values of the same shape come to mean something else. */
  readonly name: string;
  /** Most it may take of the memory of one process. */
  readonly maxBytes: number;
  /** Default an hour. Counted from the moment the value was asked for, so none is older. */
  readonly ttlMs?: number;
  /** True when values live exactly so long: no random part is taken off, and they are not renewed ahead. */
  readonly exact?: boolean;
  /** How long after its end a value still does while its source fails, or is too slow for a caller. Default not at all. */
  readonly staleMs?: number;
} & (
  | {
      /** This process only: for links, secrets, and whatever is made as quickly as fetched. */
      readonly shared: false;
    }
  | {
      /** Also in the table, to be read by whoever may read the account. Never for links or secrets. */
      readonly shared: true;
      /** What a row must hold to be believed. JSON must be able to say it. */
      readonly shape: z.ZodType<V>;
    }
);

/**
 * Values of one kind, by key. They are plain data as JSON has it, and the same object goes to all who
 * ask, so nobody changes it.
 *
 * What taking back (`set`, `delete`, `invalidate`) promises: from the call on, this process gives the old value to nobody
 * who asks later, and a load that is running is not kept. Other processes give it until their own memory asks the table
 * again, for a minute at most; if the source fails then, for `staleMs` more, unless they hear from the table that it was
 * taken back. What they load meanwhile cannot bring a key back after `set` or `delete`; after `invalidate` it can, until
 * its time is over, if the table did not hold that key yet. When the promise is false, the table did not hear of it, and
 * other processes may find the old value there until its time is over.
 */
export interface Region<V> {
  /**
   * Gives the value of a key, made by `load` where it is not known. Who asks for the same key meanwhile waits for the
   * same load, which ends by its own time of 30 s and not when a caller leaves.
   *
   * @param load - one try to make the value; stops when its signal aborts
   * @throws what `load` throws; AppError `deadline_exceeded` when it takes too long; the reason of `signal`
   */
  get(key: CacheKey, load: (signal: AbortSignal) => Promise<V>, signal: AbortSignal): Promise<V>;
  /** Puts a value there that was made elsewhere, in memory and table at once. Never rejects, takes 2 s at most. */
  set(key: CacheKey, value: V): Promise<boolean>;
  /** Takes a value back. No signal: what is old is old although the caller has gone. Never rejects, takes 2 s at most. */
  delete(key: CacheKey): Promise<boolean>;
  /**
   * Takes back all values whose key begins with these parts. Takes 10 s at most.
   *
   * @throws RangeError for more than 128 characters: longer keys do not hold all of their parts
   */
  invalidate(prefix: CacheKey): Promise<boolean>;
}
