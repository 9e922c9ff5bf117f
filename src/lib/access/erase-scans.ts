import { requireTime } from '../core/index.ts';
import { crownSafeTables, type Database, type Db, sql } from '../database/index.ts';

interface EraseScansPorts {
  readonly database: Database;
  readonly container: string;
  purge(blobNames: readonly string[], signal: AbortSignal): Promise<void>;
}

type Table = (typeof crownSafeTables)[number];

const rowsAtOnce = 200;
const leastTimeMs = 60_000;

/**
 * Erases the rows of a user in the tables of scans, with the photos they name. Photos first: a row without photo is found again,
 * a photo without row is not. Rows from AWS that name no owner are nobody's.
 */
export async function eraseScans(ports: EraseScansPorts, userId: string, signal: AbortSignal): Promise<void> {
  for (const table of crownSafeTables) {
    while (await eraseSome(ports, table, userId, signal)) requireTime(signal, leastTimeMs);
  }
}

async function eraseSome(
  { database, container, purge }: EraseScansPorts,
  table: Table,
  userId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { ids, photos } = await database.read('find scans to erase', signal, async (db) => {
    const rows = await rowsOf(db, table, userId);
    const named = rows.flatMap(({ container: where, name }) => (where === container && name ? [name] : []));
    return { ids: rows.map(({ id }) => id), photos: await ofNobodyElse(db, container, userId, named) };
  });
  if (ids.length === 0) return false;
  await purge(photos, signal);
  await database.transaction('erase scans', signal, (trx) =>
    sql`delete from ${sql.table(table)} where owner_id = ${userId} and id::text = any(${ids}::text[])`.execute(
      trx,
    ),
  );
  return true;
}

async function rowsOf(db: Db, table: Table, userId: string) {
  const { rows } = await sql<{ id: string; container: string | null; name: string | null }>`
    select id::text, blob_container as container, blob_name as name from ${sql.table(table)}
    where owner_id = ${userId} limit ${rowsAtOnce}`.execute(db);
  return rows;
}

/** Those of the photos that no row of anybody else names, nor any file that is left: its own rule says who may delete it. */
async function ofNobodyElse(
  db: Db,
  container: string,
  userId: string,
  photos: readonly string[],
): Promise<string[]> {
  if (photos.length === 0) return [];
  const named = crownSafeTables.map(
    (table) => sql`not exists (
      select from ${sql.table(table)} as other where other.blob_name = photo and other.blob_container = ${container}
        and other.owner_id is distinct from ${userId})`,
  );
  const { rows } = await sql<{ photo: string }>`
    select distinct photo from unnest(${photos}::text[]) as photo
    where not exists (select from files where files.blob_name = photo and files.container = ${container})
      and ${sql.join(named, sql` and `)}`.execute(db);
  return rows.map(({ photo }) => photo);
}
