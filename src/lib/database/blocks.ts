import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { CrownSafeTable } from './crown-safe-tables.ts';

/** 2 MiB of a table: some thousand rows, changed in a fraction of a second. */
const blocksAtOnce = 250;

/**
 * Conditions that together hold for every row a table has now, whatever its key: each for the rows in a run of its
 * blocks, which PostgreSQL (from 14) finds without looking at others. A row that is changed meanwhile may move out of
 * all of them.
 */
export async function* blocksOf(
  db: Kysely<unknown>,
  table: CrownSafeTable,
): AsyncGenerator<RawBuilder<boolean>> {
  const { rows } = await sql<{ blocks: number }>`
    select (pg_relation_size(${table}::regclass) / current_setting('block_size')::int)::int as blocks`.execute(
    db,
  );
  const place = sql.ref(`${table}.ctid`);
  for (let first = 0; first < (rows[0]?.blocks ?? 0); first += blocksAtOnce)
    yield sql<boolean>`${place} >= ${`(${first},0)`}::tid and ${place} < ${`(${first + blocksAtOnce},0)`}::tid`;
}

/** SQLSTATE. */
const deadlockDetected = '40P01';

/**
 * Changes one lot in a transaction of its own, and again when it met a transaction of the running version that held some
 * of the same rows in another order: one of the two had to give way.
 */
export async function inLot<T>(
  db: Kysely<unknown>,
  change: (trx: Transaction<unknown>) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await db.transaction().execute(change);
    } catch (error) {
      if ((error as { code?: unknown }).code !== deadlockDetected) throw error;
    }
  }
}
