import { type Clock, isAppError, toTimestamp } from '../core/index.ts';
import { type Database, sql, type Trx } from '../database/index.ts';
import type { Logger } from '../observability/index.ts';
import type { BlobStore } from '../storage/index.ts';
import { rowHash } from './hashes.ts';
import { archiveName, maxSealedRows, packRow, type Seal, sealHash, sealText } from './seals.ts';

interface SealingPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
  /** In the backup account, where what is written can be changed by nobody for a time. */
  readonly archive: BlobStore;
}

/** Of the lock that lets one seal be made at a time; any number that nothing else uses. */
const lockId = 7_143_215_990_411;
/** Seals that are written into the archive before the next are looked up. */
const archiveBatch = 20;

/**
 * Seals all rows that have none, in batches, and writes the seals into the archive. Broken off anywhere, the next run goes on.
 * A row that is committed late, after others with higher ids, comes into a later batch.
 */
export async function sealTrail(ports: SealingPorts, signal: AbortSignal): Promise<void> {
  const { clock, database, logger } = ports;
  let rows = 0;
  for (let sealed = maxSealedRows; sealed === maxSealedRows; rows += sealed)
    sealed = await database.transaction('seal audit rows', signal, (trx) => sealBatch(trx, clock));
  if (rows > 0) logger.debug('rows of the audit trail were sealed', { rows });
  await archiveSeals(ports, signal);
}

/** @returns how many rows the seal holds */
async function sealBatch(trx: Trx, clock: Clock): Promise<number> {
  // What another instance has just sealed is seen by the statements after this one.
  await sql`select pg_advisory_xact_lock(${lockId}::bigint)`.execute(trx);
  const rows = await trx
    .selectFrom('audit_log')
    .selectAll()
    .where('seal', 'is', null)
    .orderBy('id')
    .limit(maxSealedRows)
    .execute();
  if (rows.length === 0) return 0;
  const last = await trx
    .selectFrom('audit_seals')
    .select(['id', 'hash'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const content = {
    id: (last?.id ?? 0) + 1,
    sealed_at: new Date(clock.now()),
    previous: last?.hash ?? null,
    rows: Buffer.concat(rows.map((row) => packRow(row.id, rowHash(row)))),
  };
  await trx
    .insertInto('audit_seals')
    .values({ ...content, sealed_at: content.sealed_at.toISOString(), hash: sealHash(sealText(content)) })
    .execute();
  const { numUpdatedRows } = await trx
    .updateTable('audit_log')
    .set({ seal: content.id })
    .where('seal', 'is', null)
    .where(sql<boolean>`id = any(${rows.map(({ id }) => id)}::bigint[])`)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== BigInt(rows.length)) throw new Error('rows that were being sealed have changed');
  return rows.length;
}

async function archiveSeals(ports: SealingPorts, signal: AbortSignal): Promise<void> {
  for (;;) {
    const seals = await ports.database.read('find seals to archive', signal, (db) =>
      db
        .selectFrom('audit_seals')
        .selectAll()
        .where('archived_at', 'is', null)
        .orderBy('id')
        .limit(archiveBatch)
        .execute(),
    );
    for (const seal of seals) await archiveSeal(ports, seal, signal);
    if (seals.length < archiveBatch) return;
  }
}

/** The name holds the hash, so what lies there already is from a run that broke off; whether it is whole, verifying tells. */
async function archiveSeal({ clock, database, archive }: SealingPorts, seal: Seal, signal: AbortSignal) {
  const options = { contentType: 'application/json', onlyIfAbsent: true, signal };
  await archive.upload(archiveName(seal), sealText(seal), options).catch((error: unknown) => {
    if (!isAppError(error, 'conflict')) throw error;
  });
  await database.transaction('note archived seal', signal, (trx) =>
    trx
      .updateTable('audit_seals')
      .set({ archived_at: toTimestamp(clock.now()) })
      .where('id', '=', seal.id)
      .where('archived_at', 'is', null)
      .execute(),
  );
}
