import { type Kysely, sql } from 'kysely';
import { crownSafeTables } from '../crown-safe-tables.ts';
import { fillEmptySides } from '../two-sides.ts';

/** Commits lot by lot, and can be run again after a break. */
export const ownTransactions = true;

/**
 * Gives the rows from before 0003 their side of Azure, and has PostgreSQL look whether they keep the rules of 0002.
 * Nobody is kept from reading or adding rows; a change of a row waits until the lot it is in has been done.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of crownSafeTables) {
    await fillEmptySides(db, table);
    const { rows } = await sql<{ name: string }>`
      select conname as name from pg_constraint
      where conrelid = ${table}::regclass and not convalidated and conname like ${`${table}%rule`}`.execute(
      db,
    );
    for (const { name } of rows)
      await sql`alter table ${sql.table(table)} validate constraint ${sql.ref(name)}`.execute(db);
  }
}

/** Nothing to undo: the columns go with 0003. */
export async function down(): Promise<void> {}
