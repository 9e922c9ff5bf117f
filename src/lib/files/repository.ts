import type { Db, Row, Trx } from '../database/index.ts';
import { sql, visibleFiles } from '../database/index.ts';
import type { Caller } from '../security/index.ts';

/** A file as the database keeps it. */
export type FileRow = Row<'files'>;
/** A row before the database has given it a version. */
export type NewFileRow = Omit<FileRow, 'version' | 'uploaded_at' | 'deleted_at' | 'trashed_at'>;

/** Adds the row of a file whose bytes are about to be stored. */
export async function insertPending(trx: Trx, row: NewFileRow): Promise<void> {
  await trx
    .insertInto('files')
    .values({ ...row, metadata: JSON.stringify(row.metadata), created_at: row.created_at.toISOString() })
    // The same insert may come twice, when the answer to the first was lost.
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** Makes a pending file available; does nothing to one that is available already. */
export async function markAvailable(trx: Trx, id: string, uploadedAt: string): Promise<FileRow | undefined> {
  await trx
    .updateTable('files')
    .set({ status: 'available', uploaded_at: uploadedAt, version: sql<string>`gen_random_uuid()` })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .execute();
  return trx.selectFrom('files').selectAll().where('id', '=', id).executeTakeFirst();
}

/** What is known of a file by those who move its bytes. */
export type FileBytes = Pick<FileRow, 'id' | 'blob_name'>;

/** Rows that maintenance works on in one go. */
const maxAtOnce = 100;

/** Some of the files that have been pending since before the given time. */
export function findPending(db: Db, before: string): Promise<FileBytes[]> {
  return db
    .selectFrom('files')
    .select(['id', 'blob_name'])
    .where('status', '=', 'pending')
    .where(sql<boolean>`created_at < ${before}::timestamptz`)
    .orderBy('created_at')
    .limit(maxAtOnce)
    .execute();
}

/** Forgets a file whose bytes never became available. */
export async function deletePending(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('files').where('id', '=', id).where('status', '=', 'pending').execute();
}

/**
 * Marks a file as deleted; its bytes are moved by the caller.
 *
 * @returns the file, if it was not deleted before
 */
export function markDeleted(
  trx: Trx,
  id: string,
  deletedAt: string,
): Promise<Pick<FileRow, 'owner_id' | 'name'> | undefined> {
  return trx
    .updateTable('files')
    .set({ status: 'deleted', deleted_at: deletedAt, version: sql<string>`gen_random_uuid()` })
    .where('id', '=', id)
    .where('status', '!=', 'deleted')
    .returning(['owner_id', 'name'])
    .executeTakeFirst();
}

/** Notes that the bytes of a deleted file are where no link reaches them. */
export async function markTrashed(trx: Trx, id: string, trashedAt: string): Promise<void> {
  await trx.updateTable('files').set({ trashed_at: trashedAt }).where('id', '=', id).execute();
}

/** Some of the files that were deleted before the given time, and whose bytes are still where they were. */
export function findToTrash(db: Db, before: string): Promise<FileBytes[]> {
  return db
    .selectFrom('files')
    .select(['id', 'blob_name'])
    .where('status', '=', 'deleted')
    .where('trashed_at', 'is', null)
    .where(sql<boolean>`deleted_at < ${before}::timestamptz`)
    .orderBy('deleted_at')
    .limit(maxAtOnce)
    .execute();
}

/** Finds a file the caller may see: its own, one of its projects, any for admins. */
export function findVisible(db: Db, caller: Caller, id: string): Promise<FileRow | undefined> {
  return visibleFiles(db, caller).selectAll().where('id', '=', id).executeTakeFirst();
}

/** Finds those of the files that the caller may see. */
export function findAllVisible(db: Db, caller: Caller, ids: readonly string[]): Promise<FileRow[]> {
  if (ids.length === 0) return Promise.resolve([]);
  return visibleFiles(db, caller)
    .selectAll()
    .where('id', 'in', [...ids])
    .execute();
}

/** Bytes of all files that are kept. */
export async function sumOfSizes(db: Db): Promise<number> {
  const { bytes } = await db
    .selectFrom('files')
    .where('status', 'in', ['available', 'quarantined'])
    .select(sql<number>`coalesce(sum(size), 0)::bigint`.as('bytes'))
    .executeTakeFirstOrThrow();
  return bytes;
}

/** True when the project exists. */
export async function projectExists(db: Db, id: string): Promise<boolean> {
  return (await db.selectFrom('projects').select('id').where('id', '=', id).executeTakeFirst()) !== undefined;
}
