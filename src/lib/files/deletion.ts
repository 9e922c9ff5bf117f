import { AppError, type Clock, isAppError, toTimestamp } from '../core/index.ts';
import type { Database, RecordAudit } from '../database/index.ts';
import type { Logger } from '../observability/index.ts';
import type { BlobStore } from '../storage/index.ts';
import { type FileBytes, findToTrash, isStillOf, markDeleted, markTrashed } from './repository.ts';

interface DeletionPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
  readonly audit: RecordAudit;
  readonly blobs: BlobStore;
  readonly trash: BlobStore;
}

/** A deletion under way is left to the request that began it. */
const brokenOffAfterMs = 60_000;

/**
 * Deletes a file: its bytes are copied into the trash, its row says so, the original goes. Broken off anywhere it can be
 * done again, and nothing is lost.
 */
export async function deleteFile(ports: DeletionPorts, file: FileBytes, signal: AbortSignal): Promise<void> {
  const { database, blobs, trash, clock, audit } = ports;
  await copyToTrash(ports, file, signal);
  const isKept = await database.transaction('delete file', signal, async (trx) => {
    const deleted = await markDeleted(trx, file, toTimestamp(clock.now()));
    if (!deleted) return isStillOf(trx, file);
    await audit(trx, {
      action: 'file.delete',
      object: { type: 'file', id: file.id },
      subjectId: file.owner_id,
      before: { name: deleted.name },
    });
    return true;
  });
  if (!isKept) {
    // Whoever erases it may have emptied the trash before this copy came.
    await trash.delete(file.blob_name, { signal });
    return;
  }
  await blobs.delete(file.blob_name, { signal });
  await database.transaction('note trashed file', signal, (trx) =>
    markTrashed(trx, file.id, toTimestamp(clock.now())),
  );
}

/** @throws AppError `upstream` when the bytes are in neither container: a deletion must not claim what it has not done */
async function copyToTrash(
  { blobs, trash }: DeletionPorts,
  file: FileBytes,
  signal: AbortSignal,
): Promise<void> {
  try {
    await trash.copyFrom(blobs, file.blob_name, { signal });
  } catch (error) {
    if (!isAppError(error, 'not_found')) throw error;
    if (await trash.exists(file.blob_name, { signal })) return;
    throw new AppError('upstream', 'The bytes of the file are not where they should be', { cause: error });
  }
}

/** Finishes deletions that broke off, so that no link to a deleted file lives on. */
export async function finishDeletions(ports: DeletionPorts, signal: AbortSignal): Promise<void> {
  const { database, clock, logger } = ports;
  const before = toTimestamp(clock.now() - brokenOffAfterMs);
  for (const file of await database.read('find broken deletions', signal, (db) => findToTrash(db, before))) {
    try {
      await deleteFile(ports, file, signal);
      logger.info('a deletion that broke off was finished', { file_id: file.id });
    } catch (error) {
      logger.warning('a deletion could not be finished', { file_id: file.id, error });
    }
  }
}
