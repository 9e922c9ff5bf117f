import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { blocksOf, inLot } from './blocks.ts';
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
    await takeFromApp(trx);
    await noteWrites(trx, table);
  });
  // The lock keeps a row from being changed between reading and noting it.
  for await (const block of blocksOf(db, table))
    await inLot(db, (trx) =>
      sql`
        insert into ${originals}
        select ${table}, id::text, ${bothSides} from ${sql.table(table)} where ${block} and ${differ} for share
        on conflict do nothing`.execute(trx),
    );
}

/** By default the app may change what the owner makes; of this, only the way back may. */
async function takeFromApp(trx: Transaction<unknown>): Promise<void> {
  const { rows } = await sql`select from pg_roles where rolname = 'app'`.execute(trx);
  if (rows.length > 0) await sql`revoke insert, update, delete on ${originals} from app`.execute(trx);
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
  // On a table of their own, whoever may use it could have a cast of theirs run with the rights of the owner. A trigger
  // that is there needs no right.
  await sql`revoke execute on function crown_safe_original() from public`.execute(trx);
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
  // A row that is being changed may move from blocks that are still to come to others: until none is left at all.
  while (await isAnyToRestore(db, table)) {
    for await (const block of blocksOf(db, table)) await inLot(db, (trx) => restoreBlock(trx, table, block));
  }
}

/** Forgets what has been kept. */
export async function dropOriginals(db: Kysely<unknown>): Promise<void> {
  await sql`drop table if exists ${originals}`.execute(db);
}

async function isAnyToRestore(db: Kysely<unknown>, table: CrownSafeTable): Promise<boolean> {
  const { needed } = restoring(table);
  const { rows } = await sql`
    select from ${sql.table(table)} join ${originals} as kept on ${needed} limit 1`.execute(db);
  return rows.length > 0;
}

async function restoreBlock(
  trx: Transaction<unknown>,
  table: CrownSafeTable,
  block: RawBuilder<boolean>,
): Promise<void> {
  const { now, stayed, stillLinked, needed } = restoring(table);
  await keepSidesApart(trx);
  await sql`
    update ${now} set
      s3_url = case when ${stayed} then kept.s3_url else ${now}.s3_url end,
      s3_bucket = case when ${stayed} then kept.s3_bucket else ${now}.s3_bucket end,
      s3_key = case when ${stayed} then kept.s3_key else ${now}.s3_key end,
      s3_presigned_url = case when ${stillLinked} then kept.s3_presigned_url else ${now}.s3_presigned_url end
    from ${originals} as kept where ${block} and ${needed}`.execute(trx);
}

/** The row as it is `now`, what of it is as it was when it was kept, and whether its side of S3 is `needed` from there. */
function restoring(table: CrownSafeTable) {
  const now = sql.table(table);
  const stayed = sql`(${now}.blob_url, ${now}.blob_container, ${now}.blob_name)
    is not distinct from (kept.blob_url, kept.blob_container, kept.blob_name)`;
  const stillLinked = sql`${now}.blob_sas_url is not distinct from kept.blob_sas_url`;
  const needed = sql<boolean>`kept.table_name = ${table} and kept.row_id = ${now}.id::text and (
    (${stayed} and (${now}.s3_url, ${now}.s3_bucket, ${now}.s3_key)
      is distinct from (kept.s3_url, kept.s3_bucket, kept.s3_key))
    or (${stillLinked} and ${now}.s3_presigned_url is distinct from kept.s3_presigned_url))`;
  return { now, stayed, stillLinked, needed };
}
