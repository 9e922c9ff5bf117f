import { AppError, type Clock, requireTime, toTimestamp } from '../core/index.ts';
import type { Database } from '../database/index.ts';
import type { BlobStore } from '../storage/index.ts';
import { findPendingOf, findToErase, handOver, removeRows } from './repository.ts';
import { discard } from './storing.ts';

interface ErasurePorts {
  readonly clock: Clock;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly trash: BlobStore;
}

/** What is to be erased. */
export interface ErasureOrder {
  readonly ownerId: string;
  /** Owns the files from when nobody can reach them any more until they are gone. The same for each attempt. */
  readonly pseudonym: string;
  /** Milliseconds since the epoch; uploads that began later are left alone. */
  readonly askedAt: number;
}

/** No upload through the API runs longer: 220 s, and 10 s for its end. The rest is for storage, which may go on for a moment. */
const uploadEndsAfterMs = 5 * 60_000;
/** For the files at hand to be done with. */
const leastTimeMs = 60_000;
/** Of the ten calls that storage takes at a time, two are left to requests. */
const atOnce = 8;

/**
 * Erases all files of an owner. In one step a lot of them is deleted and handed over to a pseudonym, which takes them out of
 * everybody's reach; then their bytes go, at last their rows. Broken off anywhere, it goes on from there when called again with the same
 * pseudonym. A deletion that has been copying bytes into the trash meanwhile finds its file handed over, and removes the copy itself.
 *
 * @throws AppError `unavailable` when there is more to do than time left, or an upload from before is still under way
 */
export async function eraseFiles(
  ports: ErasurePorts,
  order: ErasureOrder,
  signal: AbortSignal,
): Promise<void> {
  await eraseStored(ports, order, signal);
  await discardUploads(ports, order, signal);
  // An upload that ended between the two was in neither.
  await eraseStored(ports, order, signal);
}

async function eraseStored(ports: ErasurePorts, order: ErasureOrder, signal: AbortSignal): Promise<void> {
  const { clock, database } = ports;
  do {
    requireTime(signal, leastTimeMs);
    await removeHandedOver(ports, order.pseudonym, signal);
  } while (
    await database.transaction('hand files over', signal, (trx) =>
      handOver(trx, order, toTimestamp(clock.now())),
    )
  );
}

/** Removes bytes, wherever they are; those that are gone already do no harm. */
export async function purgeBytes(
  { blobs, trash }: Pick<ErasurePorts, 'blobs' | 'trash'>,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (let done = 0; done < names.length; done += atOnce)
    await Promise.all(
      names.slice(done, done + atOnce).map(async (name) => {
        // In this order: a deletion under way copies from the first into the second.
        await blobs.delete(name, { signal });
        await trash.delete(name, { signal });
      }),
    );
}

async function removeHandedOver(ports: ErasurePorts, pseudonym: string, signal: AbortSignal): Promise<void> {
  const { database } = ports;
  const find = () => database.read('find files to erase', signal, (db) => findToErase(db, pseudonym));
  for (let files = await find(); files.length > 0; files = await find()) {
    requireTime(signal, leastTimeMs);
    await purgeBytes(
      ports,
      files.map(({ blob_name }) => blob_name),
      signal,
    );
    const ids = files.map(({ id }) => id);
    await database.transaction('forget files', signal, (trx) => removeRows(trx, ids));
  }
}

/** An upload under way would store its bytes after they were looked for, so it is waited for. */
async function discardUploads(ports: ErasurePorts, order: ErasureOrder, signal: AbortSignal): Promise<void> {
  const { clock, database } = ports;
  const askedAt = toTimestamp(order.askedAt);
  const isOver = ({ created_at }: { readonly created_at: Date }) =>
    created_at.getTime() < clock.now() - uploadEndsAfterMs;
  const find = () =>
    database.read('find uploads to erase', signal, (db) => findPendingOf(db, order.ownerId, askedAt));
  let uploads = await find();
  // The oldest come first, so none that is over stands behind one that is not.
  for (let over = uploads.filter(isOver); over.length > 0; over = uploads.filter(isOver)) {
    requireTime(signal, leastTimeMs);
    for (const upload of over) await discard(ports, upload, signal);
    uploads = await find();
  }
  if (uploads.length > 0) throw new AppError('unavailable', 'An upload of this user is still under way');
}
