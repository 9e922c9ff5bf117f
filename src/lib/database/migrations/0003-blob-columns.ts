import { type Kysely, sql } from 'kysely';
import { crownSafeTables } from '../crown-safe-tables.ts';
import { dropOriginals, dropOriginalTrigger } from '../s3-originals.ts';
import { createSideTriggers, dropSideFunctions, dropSideTriggers, hasBothSides } from '../two-sides.ts';

const columns = ['blob_url', 'blob_container', 'blob_name', 'blob_sas_url'];

/**
 * Expand: names for the places of photos that fit Azure, beside those of S3. Versions that write the one or the other
 * work side by side from here on, until 0006 drops the names of S3. Takes a moment, for any number of rows.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`set local lock_timeout = '3s'`.execute(db);
  for (const table of crownSafeTables) {
    // They are there already where a version for Azure has been at work before.
    const added = columns.map((name) => `add column if not exists ${name} text`).join(', ');
    await sql`alter table ${sql.table(table)} ${sql.raw(added)}`.execute(db);
    const widened = columns.map((name) => `alter column ${name} type text`).join(', ');
    await sql`alter table ${sql.table(table)} ${sql.raw(widened)}`.execute(db);
    await createSideTriggers(db, table);
  }
}

/**
 * Loses no place but those that only Azure knows, of photos that have moved: for the others the side of S3 says the same.
 *
 * @throws Error where 0006 broke off halfway, so that a side of S3 is missing
 */
export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of crownSafeTables)
    if (!(await hasBothSides(db, table)))
      throw new Error(
        `${table} has lost the names of S3 already: crownsafe migrate up --contract, then down`,
      );
  await sql`set local lock_timeout = '3s'`.execute(db);
  for (const table of crownSafeTables) {
    await dropSideTriggers(db, table);
    // It is there where 0006 broke off.
    await dropOriginalTrigger(db, table);
    const dropped = columns.map((name) => `drop column ${name}`).join(', ');
    await sql`alter table ${sql.table(table)} ${sql.raw(dropped)}`.execute(db);
  }
  await dropSideFunctions(db);
  await dropOriginals(db);
}
