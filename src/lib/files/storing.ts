import { AppError, type Clock, startDeadline, toTimestamp } from '../core/index.ts';
import type { Database, Trx } from '../database/index.ts';
import type { Logger } from '../observability/index.ts';
import type { BlobStore } from '../storage/index.ts';
import {
  deletePending,
  type FileBytes,
  type FileRow,
  findPending,
  insertPending,
  markAvailable,
  type NewFileRow,
} from './repository.ts';

interface StoringPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
  readonly blobs: BlobStore;
}

/** For what has to be done whether or not the client still waits. */
const finishTimeoutMs = 10_000;
/** Far longer than any upload through the API takes. */
const abandonedAfterMs = 2 * 3_600_000;

/**
 * Stores the bytes between two statements: the row is there before its blob and says `pending` until the blob is whole,
 * so that at no moment a blob exists that no row knows of. Once the blob is whole, the file is made available even if the
 * client has gone by then.
 *
 * @param finish - called in the transaction that makes the file available, which stays pending when it throws
 */
export async function storeFile(
  ports: StoringPorts,
  row: NewFileRow,
  bytes: Buffer,
  signal: AbortSignal,
  finish: (trx: Trx, stored: FileRow) => Promise<void>,
): Promise<void> {
  const { database, blobs, clock, logger } = ports;
  try {
    await database.transaction('announce file', signal, (trx) => insertPending(trx, row));
    await blobs.upload(row.blob_name, bytes, { contentType: row.content_type, onlyIfAbsent: true, signal });
  } catch (error) {
    // Cut off midway, storage may have all bytes and go on: a blob that comes after its row has gone is never found again.
    if (signal.aborted) throw error;
    // What cannot be tidied away now stays `pending`, and is later.
    using time = startDeadline(clock, finishTimeoutMs);
    await discard(ports, row, time.signal).catch((failure) => {
      logger.warning('a broken upload could not be tidied away yet', { file_id: row.id, error: failure });
    });
    throw error;
  }
  using time = startDeadline(clock, finishTimeoutMs);
  await database.transaction('finish file', time.signal, async (trx) => {
    const stored = await markAvailable(trx, row.id, toTimestamp(clock.now()));
    if (!stored) throw new AppError('not_found', 'The file was tidied away before it was whole');
    await finish(trx, stored);
  });
}

/** Tidies away uploads that broke off hours ago: whatever was under way then has come about by now, or never will. */
export async function discardAbandoned(ports: StoringPorts, signal: AbortSignal): Promise<void> {
  const { database, clock, logger } = ports;
  const before = toTimestamp(clock.now() - abandonedAfterMs);
  for (const file of await database.read('find abandoned uploads', signal, (db) => findPending(db, before))) {
    try {
      await discard(ports, file, signal);
      logger.info('an abandoned upload was tidied away', { file_id: file.id });
    } catch (error) {
      logger.warning('an abandoned upload could not be tidied away', { file_id: file.id, error });
    }
  }
}

/** Tidies an upload away that will never be whole. The blob goes first: a row without blob can be found again, a blob without row cannot. */
export async function discard(
  { database, blobs }: Pick<StoringPorts, 'database' | 'blobs'>,
  file: FileBytes,
  signal: AbortSignal,
): Promise<void> {
  await blobs.delete(file.blob_name, { signal });
  await database.transaction('forget file', signal, (trx) => deletePending(trx, file.id));
}
