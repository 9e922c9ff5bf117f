import { AppError, isAppError, toTimestamp } from '../core/index.ts';
import { addressOf, type NoteAudit } from '../database/index.ts';
import type { Cursors } from '../http/index.ts';
import type { TableStore } from '../storage/index.ts';
import { createCatalog } from './catalog.ts';
import { listBackups } from './list-backups.ts';
import { readManifest } from './manifest.ts';
import { type RequestedBackup, type Reservation, requestBackup } from './request-backup.ts';
import { holdersOf, type RunPorts, runBackup, settleBackup, withdrawBackup } from './run-backup.ts';
import type { Backup, BackupKind, BackupListQuery, BackupSummary } from './shapes.ts';
import { createSlot } from './slot.ts';

export interface BackupPorts extends Omit<RunPorts, 'catalog' | 'slot'> {
  /** Holds catalog and slot. */
  readonly table: TableStore;
  readonly cursors: Cursors;
  readonly noteAudit: NoteAudit;
  /** Calls a worker that will `run` the backup. */
  enqueue(name: string, signal: AbortSignal): Promise<unknown>;
}

/** A download link lives this long. */
const downloadMs = 15 * 60_000;

/** Of a request that is made once. */
const unkept: Reservation = { reserved: undefined, reserve: async () => {} };

/** Makes the backups of one database: `connection` names it, `blobs` keeps the dumps. */
export function createBackups(ports: BackupPorts) {
  const { clock, connection, databaseRole, blobs, table, cursors, logger, onFailure } = ports;
  const catalog = createCatalog(table);
  const slot = createSlot({ table, clock });
  const runPorts: RunPorts = { clock, connection, databaseRole, blobs, logger, catalog, slot, onFailure };

  const find = async (name: string, signal: AbortSignal): Promise<BackupSummary> => {
    const backup = await catalog.find(name, signal);
    if (!backup) throw new AppError('not_found', 'There is no such backup');
    return backup;
  };

  const request = (reservation: Reservation, signal: AbortSignal): Promise<RequestedBackup> =>
    requestBackup(
      {
        clock,
        catalog,
        slot,
        database: addressOf(connection).database,
        holders: holdersOf(runPorts, signal),
        withdraw: (name, error) => withdrawBackup(runPorts, name, error),
      },
      reservation,
      signal,
    );

  const callWorker = (name: string, signal: AbortSignal) =>
    ports.enqueue(name, signal).catch(async (error) => {
      await withdrawBackup(runPorts, name, error);
      throw error;
    });

  return {
    /**
     * Reserves a backup and calls a worker for it.
     *
     * @param reservation - of a request that may be sent again
     * @throws AppError `backup_running` while one is queued or running, `kind_not_supported`
     */
    async request(kind: BackupKind, signal: AbortSignal, reservation = unkept): Promise<Backup> {
      if (kind !== 'full') throw new AppError('kind_not_supported', 'Only full backups exist');
      const { backup, needsWorker } = await request(reservation, signal);
      if (needsWorker) await callWorker(backup.name, signal);
      return { ...backup, tables: [] };
    },

    /** Carries out a reserved backup. Throws why it failed, after that has been written into the catalog. */
    run: (name: string, signal: AbortSignal): Promise<void> => runBackup(runPorts, name, signal),

    /** Reserves and carries out a backup; skips it while another one is queued or running. */
    async runNightly(signal: AbortSignal): Promise<{ readonly skipped: boolean }> {
      try {
        const { backup } = await request(unkept, signal);
        await runBackup(runPorts, backup.name, signal);
        return { skipped: false };
      } catch (error) {
        if (!isAppError(error, 'backup_running')) throw error;
        logger.warning('the nightly backup is skipped: another one is under way', { error });
        return { skipped: true };
      }
    },

    /** Writes down what became of a backup whose process died, so that it does not look as if it were running. */
    settleDead: (signal: AbortSignal): Promise<void> =>
      slot.freeDead((name) => settleBackup(runPorts, name, signal), signal),

    /** One page of all backups, newest first. */
    list: (query: BackupListQuery, signal: AbortSignal) => listBackups(catalog, cursors, query, signal),

    /** @throws AppError `not_found` */
    async get(name: string, signal: AbortSignal): Promise<Backup> {
      const backup = await find(name, signal);
      if (!isStored(backup)) return { ...backup, tables: [] };
      const manifest = await readManifest(blobs, name, signal);
      if (!manifest) throw new AppError('upstream', 'The manifest of this backup is missing');
      return { ...backup, tables: manifest.tables };
    },

    /**
     * A link that reads the stored backup for 15 minutes. It is not given out unless the audit trail knows of it.
     *
     * @throws AppError `not_found`, `backup_not_ready` unless it is stored
     */
    async downloadUrl(name: string, signal: AbortSignal): Promise<string> {
      const backup = await find(name, signal);
      if (!isStored(backup)) throw new AppError('backup_not_ready', `The backup is ${backup.status}`);
      const expiresAt = clock.now() + downloadMs;
      const url = await blobs.sasUrl(name, { expiresAt, signal });
      const after = { expires_at: toTimestamp(expiresAt) };
      await ports.noteAudit(
        [{ action: 'backup.download', object: { type: 'backup', id: name }, after }],
        signal,
      );
      return url;
    },
  };
}

function isStored({ status }: BackupSummary): boolean {
  return status === 'stored' || status === 'verified';
}
