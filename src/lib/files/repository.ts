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

/** What is known of a file by those who move or remove its bytes. */
export type FileBytes = Pick<FileRow, 'id' | 'blob_name' | 'owner_id'>;
const bytesColumns = ['id', 'blob_name', 'owner_id'] as const;

/** Rows that maintenance works on in one go. */
const maxAtOnce = 100;

/** Some of the files that have been pending since before the given time. */
export function findPending(db: Db, before: string): Promise<FileBytes[]> {
  return db
    .selectFrom('files')
    .select(bytesColumns)
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
 * @returns the file, if it was not deleted before, and belongs to the same owner still
 */
export function markDeleted(
  trx: Trx,
  { id, owner_id }: FileBytes,
  deletedAt: string,
): Promise<Pick<FileRow, 'name'> | undefined> {
  return trx
    .updateTable('files')
    .set({ status: 'deleted', deleted_at: deletedAt, version: sql<string>`gen_random_uuid()` })
    .where('id', '=', id)
    .where('owner_id', '=', owner_id)
    .where('status', '!=', 'deleted')
    .returning('name')
    .executeTakeFirst();
}

/** False for a file that is being erased, or has been. */
export async function isStillOf(db: Db, { id, owner_id }: FileBytes): Promise<boolean> {
  const file = await db
    .selectFrom('files')
    .select('id')
    .where('id', '=', id)
    .where('owner_id', '=', owner_id)
    .executeTakeFirst();
  return file !== undefined;
}

/** Notes that the bytes of a deleted file are where no link reaches them. */
export async function markTrashed(trx: Trx, id: string, trashedAt: string): Promise<void> {
  await trx.updateTable('files').set({ trashed_at: trashedAt }).where('id', '=', id).execute();
}

/** Some of the files that were deleted before the given time, and whose bytes are still where they were. */
export function findToTrash(db: Db, before: string): Promise<FileBytes[]> {
  return db
    .selectFrom('files')
    .select(bytesColumns)
    .where('status', '=', 'deleted')
    .where('trashed_at', 'is', null)
    .where(sql<boolean>`deleted_at < ${before}::timestamptz`)
    .orderBy('deleted_at')
    .limit(maxAtOnce)
    .execute();
}

/** Finds a file; whether a caller may see it is for others to say. */
export function findFile(db: Db, id: string): Promise<FileRow | undefined> {
  return db.selectFrom('files').selectAll().where('id', '=', id).executeTakeFirst();
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

/**
 * Deletes some files of an owner and hands them over to a pseudonym, which takes their names and metadata along. That they count as
 * trashed keeps others from moving their bytes.
 *
 * @returns whether there were any; those whose upload is under way are left alone
 */
export async function handOver(
  trx: Trx,
  { ownerId, pseudonym }: { readonly ownerId: string; readonly pseudonym: string },
  now: string,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('files')
    .set({
      owner_id: pseudonym,
      name: 'erased',
      metadata: '{}',
      status: 'deleted',
      deleted_at: sql<string>`coalesce(deleted_at, ${now}::timestamptz)`,
      trashed_at: sql<string>`coalesce(trashed_at, ${now}::timestamptz)`,
      version: sql<string>`gen_random_uuid()`,
    })
    .where('id', 'in', (files) =>
      files
        .selectFrom('files')
        .select('id')
        .where('owner_id', '=', ownerId)
        .where('status', '!=', 'pending')
        .limit(maxAtOnce)
        .forUpdate(),
    )
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Some of the files that a pseudonym has been given. */
export function findToErase(db: Db, pseudonym: string): Promise<FileBytes[]> {
  return db
    .selectFrom('files')
    .select(bytesColumns)
    .where('owner_id', '=', pseudonym)
    .limit(maxAtOnce)
    .execute();
}

/** Some uploads of an owner that have not ended and began before the given time, oldest first. */
export function findPendingOf(db: Db, ownerId: string, before: string) {
  return db
    .selectFrom('files')
    .select([...bytesColumns, 'created_at'])
    .where('owner_id', '=', ownerId)
    .where('status', '=', 'pending')
    .where(sql<boolean>`created_at < ${before}::timestamptz`)
    .orderBy('created_at')
    .limit(maxAtOnce)
    .execute();
}

/** Removes the rows of files whose bytes are gone. */
export async function removeRows(trx: Trx, ids: readonly string[]): Promise<void> {
  await trx
    .deleteFrom('files')
    .where('id', 'in', [...ids])
    .execute();
}
