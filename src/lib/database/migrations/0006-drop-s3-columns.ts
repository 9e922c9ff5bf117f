import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { blocksOf } from '../blocks.ts';
import { adoptedTables, type CrownSafeTable, columnTypes, crownSafeTables } from '../crown-safe-tables.ts';
import { createSideTriggers, dropSideTriggers, fillEmptySides, keepSidesApart } from '../two-sides.ts';

/** Both ways can be run again after a break; the way back commits lot by lot. */
export const ownTransactions = true;

/**
 * Whether it is for the operator to say when: a table that was there before ours may be in use by a version that knows
 * the names of S3 only, and would break.
 */
export async function waitsForOperator(db: Kysely<unknown>): Promise<boolean> {
  return (await adoptedTables(db)).length > 0;
}

const columns = ['s3_url', 's3_bucket', 's3_key', 's3_presigned_url'];
/** Both sides of the rows whose sides differ. */
const originals = 'crown_safe_s3_originals';

/**
 * Contract: drops the names of S3 and what kept both sides alike. Where the sides differ, because the photo has moved,
 * they are kept apart for the way back. Reads the tables once while nobody else can.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (!(await columnTypes(db, 'image_jobs')).has('s3_url')) return;
  await fillEmptySides(db);
  await db.transaction().execute(async (trx) => {
    await sql`set local lock_timeout = '3s'`.execute(trx);
    await sql`lock table ${sql.join(crownSafeTables.map((table) => sql.table(table)))} in access exclusive mode`.execute(
      trx,
    );
    await keepOriginals(trx);
    await dropSideTriggers(trx);
    const dropped = columns.map((name) => `drop column ${name}`).join(', ');
    for (const table of crownSafeTables)
      await sql`alter table ${sql.table(table)} ${sql.raw(dropped)}`.execute(trx);
  });
}

/** Brings the names of S3 back, with what they said, and for rows that were written since with what Azure's say. */
export async function down(db: Kysely<unknown>): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`set local lock_timeout = '3s'`.execute(trx);
    const added = columns.map((name) => `add column if not exists ${name} text`).join(', ');
    for (const table of crownSafeTables)
      await sql`alter table ${sql.table(table)} ${sql.raw(added)}`.execute(trx);
    await createSideTriggers(trx);
  });
  await fillEmptySides(db);
  const { rows } = await sql`select where to_regclass(${originals}) is not null`.execute(db);
  if (rows.length === 0) return;
  for (const table of crownSafeTables) await restoreOriginals(db, table);
  await sql`drop table ${sql.table(originals)}`.execute(db);
}

async function keepOriginals(trx: Transaction<unknown>): Promise<void> {
  await sql`
    create table ${sql.table(originals)} (
      table_name text,
      row_id text,
      s3_url text, s3_bucket text, s3_key text, s3_presigned_url text,
      blob_url text, blob_container text, blob_name text, blob_sas_url text,
      primary key (table_name, row_id)
    )`.execute(trx);
  for (const table of crownSafeTables)
    await sql`
      insert into ${sql.table(originals)}
      select ${table}, id::text, s3_url, s3_bucket, s3_key, s3_presigned_url,
        blob_url, blob_container, blob_name, blob_sas_url
      from ${sql.table(table)}
      where (s3_url, s3_bucket, s3_key, s3_presigned_url)
        is distinct from (blob_url, blob_container, blob_name, blob_sas_url)`.execute(trx);
  const { rows } = await sql`select from ${sql.table(originals)} limit 1`.execute(trx);
  await (rows.length === 0
    ? sql`drop table ${sql.table(originals)}`
    : sql`analyze ${sql.table(originals)}`
  ).execute(trx);
}

/** As often as rows are found: one that is being changed may move from blocks that are still to come to others. */
async function restoreOriginals(db: Kysely<unknown>, table: CrownSafeTable): Promise<void> {
  let restored: bigint;
  do {
    restored = 0n;
    for await (const block of blocksOf(db, table))
      restored += await db.transaction().execute((trx) => restoreBlock(trx, table, block));
  } while (restored > 0n);
}

/** A side of S3 counts as long as the row says on the side of Azure what it said when they were kept. */
async function restoreBlock(
  trx: Transaction<unknown>,
  table: CrownSafeTable,
  block: RawBuilder<boolean>,
): Promise<bigint> {
  const now = sql.table(table);
  const stayed = sql`(${now}.blob_url, ${now}.blob_container, ${now}.blob_name)
    is not distinct from (kept.blob_url, kept.blob_container, kept.blob_name)`;
  const stillLinked = sql`${now}.blob_sas_url is not distinct from kept.blob_sas_url`;
  await keepSidesApart(trx);
  const { numAffectedRows } = await sql`
    update ${now} set
      s3_url = case when ${stayed} then kept.s3_url else ${now}.s3_url end,
      s3_bucket = case when ${stayed} then kept.s3_bucket else ${now}.s3_bucket end,
      s3_key = case when ${stayed} then kept.s3_key else ${now}.s3_key end,
      s3_presigned_url = case when ${stillLinked} then kept.s3_presigned_url else ${now}.s3_presigned_url end
    from ${sql.table(originals)} as kept
    where ${block} and kept.table_name = ${table} and kept.row_id = ${now}.id::text and (
      (${stayed} and (${now}.s3_url, ${now}.s3_bucket, ${now}.s3_key)
        is distinct from (kept.s3_url, kept.s3_bucket, kept.s3_key))
      or (${stillLinked} and ${now}.s3_presigned_url is distinct from kept.s3_presigned_url))`.execute(trx);
  return numAffectedRows ?? 0n;
}
