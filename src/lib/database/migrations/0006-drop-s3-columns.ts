import { type Kysely, sql } from 'kysely';
import { adoptedTables, crownSafeTables } from '../crown-safe-tables.ts';
import {
  dropOriginals,
  dropOriginalTrigger,
  keepOriginals,
  restoreOriginals,
  tidyOriginals,
} from '../s3-originals.ts';
import {
  createSideTriggers,
  dropSideFunctions,
  dropSideTriggers,
  fillEmptySides,
  hasBothSides,
} from '../two-sides.ts';

/** Both ways commit lot by lot, and can be run again after a break. */
export const ownTransactions = true;

/**
 * Whether it is for the operator to say when: a table that was there before ours may be in use by a version that knows
 * the names of S3 only, and would break.
 */
export async function waitsForOperator(db: Kysely<unknown>): Promise<boolean> {
  return (await adoptedTables(db)).length > 0;
}

const columns = ['s3_url', 's3_bucket', 's3_key', 's3_presigned_url'];

/**
 * Contract: drops the names of S3 and what kept both sides alike. Where the sides differ, because the photo has moved,
 * they are kept apart for the way back. One table after the other, so that none is locked while another is waited for.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of crownSafeTables) {
    if (!(await hasBothSides(db, table))) continue;
    await fillEmptySides(db, table);
    await keepOriginals(db, table);
    await db.transaction().execute(async (trx) => {
      await sql`set local lock_timeout = '3s'`.execute(trx);
      await dropSideTriggers(trx, table);
      await dropOriginalTrigger(trx, table);
      const dropped = columns.map((name) => `drop column ${name}`).join(', ');
      await sql`alter table ${sql.table(table)} ${sql.raw(dropped)}`.execute(trx);
    });
  }
  await dropSideFunctions(db);
  await tidyOriginals(db);
}

/** Brings the names of S3 back, with what they said, and for rows that were written since with what Azure's say. */
export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of crownSafeTables) {
    await db.transaction().execute(async (trx) => {
      await sql`set local lock_timeout = '3s'`.execute(trx);
      const added = columns.map((name) => `add column if not exists ${name} text`).join(', ');
      await sql`alter table ${sql.table(table)} ${sql.raw(added)}`.execute(trx);
      await createSideTriggers(trx, table);
    });
    await restoreOriginals(db, table);
    await fillEmptySides(db, table);
  }
  await dropOriginals(db);
}
