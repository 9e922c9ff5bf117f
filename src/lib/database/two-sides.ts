import { type Kysely, sql } from 'kysely';
import { blocksOf, inLot } from './blocks.ts';
import { type CrownSafeTable, columnTypes } from './crown-safe-tables.ts';

/** True for a row that says only on one of its sides where the photo lies, or has a link only there. */
const oneSided = sql`(
  ((s3_url, s3_bucket, s3_key) is null) <> ((blob_url, blob_container, blob_name) is null)
  or (s3_presigned_url is null) <> (blob_sas_url is null))`;

/** True for a row of a version that knows its users by number only. */
const ownedByNumber = sql`(owner_id is null and user_id is not null)`;

/**
 * Creates the triggers that let the version on AWS and this one work side by side: whichever side of a row one of them writes, the
 * other side says the same. A place is carried over as a whole; a link by itself, because it is renewed without the
 * photo moving. An empty side is filled by the next write of the row, whatever that changes. Where both sides are given,
 * they stay as they are.
 */
export async function createSideTriggers(db: Kysely<unknown>, table: CrownSafeTable): Promise<void> {
  await createSidesFunction(db);
  await sql`
    create or replace trigger crown_safe_sides before insert or update on ${sql.table(table)} for each row
    when (coalesce(current_setting('crownsafe.sides_apart', true), '') <> 'on')
    execute function crown_safe_sides()`.execute(db);
  if (!(await numbersUsers(db, table))) return;
  await createOwnerFunction(db);
  await sql`
    create or replace trigger crown_safe_owner before insert or update on ${sql.table(table)} for each row
    execute function crown_safe_owner()`.execute(db);
}

/** Undoes {@link createSideTriggers}, but for the functions. */
export async function dropSideTriggers(db: Kysely<unknown>, table: CrownSafeTable): Promise<void> {
  for (const name of ['crown_safe_sides', 'crown_safe_owner'])
    await sql`drop trigger if exists ${sql.ref(name)} on ${sql.table(table)}`.execute(db);
}

/** Drops what no trigger needs any more. */
export async function dropSideFunctions(db: Kysely<unknown>): Promise<void> {
  await sql`drop function if exists crown_safe_sides, crown_safe_owner`.execute(db);
}

async function createSidesFunction(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function crown_safe_sides() returns trigger language plpgsql as $$
    declare
      s3_moved constant boolean :=
        (new.s3_url, new.s3_bucket, new.s3_key) is distinct from (old.s3_url, old.s3_bucket, old.s3_key);
      blob_moved constant boolean :=
        (new.blob_url, new.blob_container, new.blob_name)
        is distinct from (old.blob_url, old.blob_container, old.blob_name);
      s3_linked constant boolean := new.s3_presigned_url is distinct from old.s3_presigned_url;
      blob_linked constant boolean := new.blob_sas_url is distinct from old.blob_sas_url;
    begin
      if (s3_moved and not blob_moved)
        or (s3_moved = blob_moved and (new.blob_url, new.blob_container, new.blob_name) is null) then
        new.blob_url := new.s3_url;
        new.blob_container := new.s3_bucket;
        new.blob_name := new.s3_key;
      elsif (blob_moved and not s3_moved) or (new.s3_url, new.s3_bucket, new.s3_key) is null then
        new.s3_url := new.blob_url;
        new.s3_bucket := new.blob_container;
        new.s3_key := new.blob_name;
      end if;
      if (s3_linked and not blob_linked) or (s3_linked = blob_linked and new.blob_sas_url is null) then
        new.blob_sas_url := new.s3_presigned_url;
      elsif (blob_linked and not s3_linked) or new.s3_presigned_url is null then
        new.s3_presigned_url := new.blob_sas_url;
      end if;
      return new;
    end $$`.execute(db);
}

/** Users have numbers on AWS and names here; a row of the one is the other's as well. */
async function createOwnerFunction(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function crown_safe_owner() returns trigger language plpgsql as $$
    begin
      new.owner_id := coalesce(new.owner_id, new.user_id::text);
      return new;
    end $$`.execute(db);
}

/**
 * Has the triggers fill every side of a table that is empty. Some thousand rows at a time, each lot committed by itself, so that
 * nobody waits for long and a break loses nothing: it is gone on with by calling it again. Must not run in a transaction.
 */
export async function fillEmptySides(db: Kysely<unknown>, table: CrownSafeTable): Promise<void> {
  if (!(await hasBothSides(db, table))) return;
  const lacking = (await numbersUsers(db, table)) ? sql`(${oneSided} or ${ownedByNumber})` : oneSided;
  for await (const block of blocksOf(db, table))
    await inLot(db, (trx) =>
      sql`update ${sql.table(table)} set blob_url = blob_url where ${block} and ${lacking}`.execute(trx),
    );
}

/** Writes the rows of both sides as they are given, until the end of the transaction. */
export async function keepSidesApart(trx: Kysely<unknown>): Promise<void> {
  await sql`select set_config('crownsafe.sides_apart', 'on', true)`.execute(trx);
}

/** Whether the table has columns of S3 beside those of Azure. */
export async function hasBothSides(db: Kysely<unknown>, table: CrownSafeTable): Promise<boolean> {
  return (await columnTypes(db, table)).has('s3_url');
}

/** Whether the table has the column by which the version on AWS knows whose a row is. */
async function numbersUsers(db: Kysely<unknown>, table: CrownSafeTable): Promise<boolean> {
  return (await columnTypes(db, table)).has('user_id');
}
