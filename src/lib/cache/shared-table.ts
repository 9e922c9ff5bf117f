import { type Clock, rejectOnAbort, startDeadline } from '../core/index.ts';
import type { Logger } from '../observability/index.ts';

/** One row: a value, or the mark of one that was taken back. */
export type CacheRow = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly key: string;
  readonly born_at: Date;
  /** JSON. */
  readonly value?: string;
  readonly expires_at?: Date;
};

interface CallOptions {
  readonly signal: AbortSignal;
}

/** A row as the table has it; anybody may have written it. */
export interface FoundRow {
  readonly entity: Readonly<Record<string, unknown>>;
  readonly etag: string;
}

/** The part of a table store that is needed here. */
export interface CacheTable {
  insert(row: CacheRow, options: CallOptions): Promise<boolean>;
  get(partitionKey: string, rowKey: string, options: CallOptions): Promise<FoundRow | undefined>;
  replace(row: CacheRow, options: CallOptions & { readonly ifMatch: string }): Promise<boolean>;
  query(query: { readonly partitionKey: string }, options: CallOptions): AsyncIterable<FoundRow>;
}

/** Whoever waits for a value waits this long for the table; making the value may take as little as 50 ms. */
const readLimitMs = 250;
/** Nobody waits for these, or somebody who wants to be sure. */
const writeLimitMs = 2_000;
/** A table that failed or was late is left alone for so long: it costs one caller its wait, not each. */
const pauseMs = 10_000;

/** What a call came to; `undefined` when the table failed, was late, or was not asked. */
export type Attempt<T> = { readonly result: T } | undefined;

/** The table behind all regions, which may be down: no call fails, and none takes long. */
export interface SharedTable {
  /** Asks, unless the table has just failed. */
  read<T>(work: (table: CacheTable, signal: AbortSignal) => Promise<T>): Promise<Attempt<T>>;
  /**
   * Writes, also when the table has just failed.
   *
   * @param limitMs - default 2 s
   */
  write<T>(
    work: (table: CacheTable, signal: AbortSignal) => Promise<T>,
    limitMs?: number,
  ): Promise<Attempt<T>>;
  /** Calls that failed or were late. */
  readonly failures: number;
}

interface SharedTableOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly open: () => CacheTable;
}

/**
 * Guards a table. The policies behind it know breakers, but not our impatience: a call we give up looks to them like a
 * caller who has gone, so the pause after a late answer is kept here.
 */
export function createSharedTable({ clock, logger, open }: SharedTableOptions): SharedTable {
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let failures = 0;

  async function attempt<T>(
    limitMs: number,
    work: (table: CacheTable, signal: AbortSignal) => Promise<T>,
  ): Promise<Attempt<T>> {
    using deadline = startDeadline(clock, limitMs);
    try {
      const working = (async () => work(open(), deadline.signal))();
      return { result: await rejectOnAbort(working, deadline.signal) };
    } catch (error) {
      failures += 1;
      pausedUntilMs = clock.monotonicMs() + pauseMs;
      // No warning: the first call of a process, which loads the SDK and asks for a token, may well be late.
      logger.info('the shared cache is left alone for a moment', { pause_ms: pauseMs, error });
      return undefined;
    }
  }

  return {
    read: async (work) => (clock.monotonicMs() < pausedUntilMs ? undefined : attempt(readLimitMs, work)),
    write: (work, limitMs = writeLimitMs) => attempt(limitMs, work),
    get failures() {
      return failures;
    },
  };
}
