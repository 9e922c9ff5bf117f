import { collect, isAppError } from '../core/index.ts';
import { countUpTo, type Database, sql } from '../database/index.ts';
import type { Keyring } from '../security/index.ts';
import type { BlobStore } from '../storage/index.ts';
import { type ArchiveWalk, walkArchive } from './archive-walk.ts';
import { findRowFault, readSealedRows } from './row-check.ts';
import { archiveName, isTorn, type Seal, sealHash, sealText, unpackRows } from './seals.ts';

interface VerifyPorts {
  readonly database: Database;
  readonly keyring: Keyring;
  readonly archive: BlobStore;
}

/** The first thing that is wrong. */
interface Break {
  readonly seal: number;
  /** Left out where it is not a single row. */
  readonly row?: number;
  /** In an operator's words, as the end of a sentence about the row, or else the seal. */
  readonly fault: string;
}

export interface Verdict {
  /** Seals and rows that are as they were. */
  readonly seals: number;
  readonly rows: number;
  /** Nothing is proven of these yet; counted to 10,001. */
  readonly unsealedRows: number;
  readonly broken: Break | undefined;
}

const countedRows = 10_001;
const missing =
  'is missing from the database: it was removed, or the database was restored to a moment before it';

/**
 * Recomputes all seals from their rows, compares them with one another and with the archive, and stops at the first that is
 * broken. Holds one seal at a time in memory. May run while rows are added, sealed, erased and encrypted anew.
 *
 * @param from - the first seal that is looked at
 */
export async function verifyTrail(ports: VerifyPorts, from: number, signal: AbortSignal): Promise<Verdict> {
  const { database, archive } = ports;
  const walk = walkArchive(archive, from, signal);
  const counts = { seals: 0, rows: 0 };
  const verdict = async (broken?: Break): Promise<Verdict> => ({
    ...counts,
    unsealedRows: await countUnsealed(database, signal),
    broken,
  });
  const stray = await findStray(database, signal);
  if (stray) return verdict(stray);
  let previous = from > 1 ? await findSeal(database, from - 1, signal) : undefined;
  if (from > 1 && !previous) return verdict({ seal: from - 1, fault: missing });
  for (let id = from; ; id++) {
    // In this order: what is listed, or is said of a row, was committed before the seal is looked for.
    const names = await walk.namesOf(id);
    const isNeeded = names.length > 0 || (await isSealKnown(ports, walk, id, signal));
    const seal = await findSeal(database, id, signal);
    if (!seal) return verdict(isNeeded ? { seal: id, fault: missing } : undefined);
    const broken =
      chainBreak(seal, previous) ??
      (await archiveBreak(ports, seal, names, signal)) ??
      (await rowBreak(ports, seal, signal));
    if (broken) return verdict({ seal: id, ...broken });
    counts.seals++;
    counts.rows += unpackRows(seal.rows).length;
    previous = seal;
  }
}

/** A row that claims a seal which there never is: none would be put over it, and nothing would be found missing without it. */
async function findStray(database: Database, signal: AbortSignal): Promise<Break | undefined> {
  const row = await database.read('find rows outside of all seals', signal, (db) =>
    db
      .selectFrom('audit_log')
      .select(['id', 'seal'])
      .where('seal', '<', 1)
      .orderBy('seal')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst(),
  );
  return row && { seal: row.seal ?? 0, row: row.id, fault: 'claims a seal that there cannot be' };
}

/** Whether a row or the archive knows of this seal, or of a later one, or the database has a later one. */
async function isSealKnown(
  { database }: VerifyPorts,
  walk: ArchiveWalk,
  id: number,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await walk.next()) !== undefined) return true;
  return await database.read('find later seals', signal, async (db) => {
    const inRows = db.selectFrom('audit_log').select('seal as id').where('seal', '>=', id).limit(1);
    const inSeals = db.selectFrom('audit_seals').select('id').where('id', '>=', id).limit(1);
    return ((await inRows.executeTakeFirst()) ?? (await inSeals.executeTakeFirst())) !== undefined;
  });
}

/** What is wrong with a seal by itself and with its place in the chain. */
function chainBreak(seal: Seal, previous: Seal | undefined): Omit<Break, 'seal'> | undefined {
  if (isTorn(seal.rows) || !sealHash(sealText(seal)).equals(seal.hash))
    return { fault: 'was changed: it is not the hash of what it says' };
  const follows = previous ? seal.previous?.equals(previous.hash) : seal.previous === null;
  return follows ? undefined : { fault: `was changed: it does not follow seal ${seal.id - 1}` };
}

/** Where the archive says something else than the database. */
async function archiveBreak(
  { archive }: VerifyPorts,
  seal: Seal,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Omit<Break, 'seal'> | undefined> {
  const name = archiveName(seal);
  const other = names.find((archived) => archived !== name);
  if (other !== undefined) {
    const fault = `is another than the one in the archive, ${other}: it was changed, or the database was restored to a moment before it and went on from there`;
    return { fault };
  }
  try {
    const text = sealText(seal);
    const { body } = await archive.download(name, { signal });
    if (text.equals(await collect(body, text.length))) return undefined;
  } catch (error) {
    if (isAppError(error, 'not_found'))
      return seal.archived_at === null ? undefined : { fault: `is missing from the archive: ${name}` };
    // Of another size than it may have.
    if (!isAppError(error, 'body_too_large')) throw error;
  }
  return { fault: `was changed in the archive: ${name} is not what was sealed` };
}

async function rowBreak(
  { database, keyring }: VerifyPorts,
  seal: Seal,
  signal: AbortSignal,
): Promise<Omit<Break, 'seal'> | undefined> {
  const rows = await database.read('read sealed rows', signal, (db) => readSealedRows(db, seal));
  return findRowFault(unpackRows(seal.rows), rows, keyring);
}

function findSeal(database: Database, id: number, signal: AbortSignal): Promise<Seal | undefined> {
  return database.read('find seal', signal, (db) =>
    db.selectFrom('audit_seals').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

function countUnsealed(database: Database, signal: AbortSignal): Promise<number> {
  return database.read('count unsealed rows', signal, (db) =>
    countUpTo(
      db,
      db.selectFrom('audit_log').select(sql<string>`id::text`.as('id')).where('seal', 'is', null),
      countedRows,
    ),
  );
}
