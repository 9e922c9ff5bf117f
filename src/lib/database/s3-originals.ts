import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { blocksOf } from './blocks.ts';
import type { CrownSafeTable } from './crown-safe-tables.ts';
import { keepSidesApart } from './two-sides.ts';

/** Both sides of the rows whose sides differ, because their photo has moved. */
const originals = sql.table('crown_safe_s3_originals');

const bothSides = sql`s3_url, s3_bucket, s3_key, s3_presigned_url, blob_url, blob_container, blob_name, blob_sas_url`;
const differ = sql`(s3_url, s3_bucket, s3_key, s3_presigned_url)
  is distinct from (blob_url, blob_container, blob_name, blob_sas_url)`;

/**
 * Keeps what only the side of S3 says, for when its columns are gone: a trigger notes what is written from now on, then
 * the rows from before follow lot by lot. Must not run in a transaction; goes on where it broke off when called again.
 */
export async function keepOriginals(db: Kysely<unknown>, table: CrownSafeTable): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`set local lock_timeout = '3s'`.execute(trx);
    await sql`
      create table if not exists ${originals} (
        table_name name,
        row_id text,
        s3_url text, s3_bucket text, s3_key text, s3_presigned_url text,
        blob_url text, blob_container text, blob_name text, blob_sas_url text,
        primary key (table_name, row_id)
      )`.execute(trx);
    await noteWrites(trx, table);
  });
  // The lock keeps a row from being changed between reading and noting it.
  for await (const block of blocksOf(db, table))
    await sql`
      insert into ${originals}
      select ${table}, id::text, ${bothSides} from ${sql.table(table)} where ${block} and ${differ} for share
      on conflict do nothing`.execute(db);
}

/** The function writes with the rights of who migrates: those whose writes it notes have none on what is kept. */
async function noteWrites(trx: Transaction<unknown>, table: CrownSafeTable): Promise<void> {
  await sql`
    create or replace function crown_safe_original() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
    begin
      delete from crown_safe_s3_originals where table_name = tg_table_name and row_id = new.id::text;
      insert into crown_safe_s3_originals
      select tg_table_name, new.id::text, new.s3_url, new.s3_bucket, new.s3_key, new.s3_presigned_url,
        new.blob_url, new.blob_container, new.blob_name, new.blob_sas_url
      where (new.s3_url, new.s3_bucket, new.s3_key, new.s3_presigned_url)
        is distinct from (new.blob_url, new.blob_container, new.blob_name, new.blob_sas_url);
      return null;
    end $$`.execute(trx);
  await sql`
    create or replace trigger crown_safe_original after insert or update on ${sql.table(table)} for each row
    execute function crown_safe_original()`.execute(trx);
}

/** Has nobody note writes of a table any more; what has been noted stays. */
export async function dropOriginalTrigger(trx: Kysely<unknown>, table: CrownSafeTable): Promise<void> {
  await sql`drop trigger if exists crown_safe_original on ${sql.table(table)}`.execute(trx);
}

/** Drops what nothing needs any more, once no table notes writes: what was kept only if there is nothing in it. */
export async function tidyOriginals(db: Kysely<unknown>): Promise<void> {
  await sql`drop function if exists crown_safe_original`.execute(db);
  if (!(await areKept(db))) return;
  const { rows } = await sql`select from ${originals} limit 1`.execute(db);
  if (rows.length === 0) await dropOriginals(db);
}

async function areKept(db: Kysely<unknown>): Promise<boolean> {
  const { rows } = await sql`select where to_regclass('crown_safe_s3_originals') is not null`.execute(db);
  return rows.length > 0;
}

/** Writes the side of S3 again, of every row that says on the side of Azure what it said when the two were kept. */
export async function restoreOriginals(db: Kysely<unknown>, table: CrownSafeTable): Promise<void> {
  if (!(await areKept(db))) return;
  let restored: bigint;
  // As often as rows are found: one that is being changed may move from blocks that are still to come to others.
  do {
    restored = 0n;
    for await (const block of blocksOf(db, table))
      restored += await db.transaction().execute((trx) => restoreBlock(trx, table, block));
  } while (restored > 0n);
}

/** Forgets what has been kept. */
export async function dropOriginals(db: Kysely<unknown>): Promise<void> {
  await sql`drop table if exists ${originals}`.execute(db);
}

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
    from ${originals} as kept
    where ${block} and kept.table_name = ${table} and kept.row_id = ${now}.id::text and (
      (${stayed} and (${now}.s3_url, ${now}.s3_bucket, ${now}.s3_key)
        is distinct from (kept.s3_url, kept.s3_bucket, kept.s3_key))
      or (${stillLinked} and ${now}.s3_presigned_url is distinct from kept.s3_presigned_url))`.execute(trx);
  return numAffectedRows ?? 0n;
}
