import type { Clock } from '../core/index.ts';
import type { Catalog } from './catalog.ts';
import { backupName } from './names.ts';
import type { BackupSummary } from './shapes.ts';
import type { Holders, Slot } from './slot.ts';

interface RequestPorts {
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly slot: Slot;
  /** Name of the database that will be dumped. */
  readonly database: string;
  readonly holders: Holders;
  /** Gives up a backup that was reserved. Has its own time. */
  readonly withdraw: (name: string, error: unknown) => Promise<void>;
}

/**
 * Reserves name and slot for a full backup and enters it as queued. The name is that of the present second, or of the
 * next one that is free.
 *
 * @throws AppError `backup_running` while another one is queued or running
 */
export async function requestBackup(ports: RequestPorts, signal: AbortSignal): Promise<BackupSummary> {
  const { clock, catalog, slot, holders, withdraw } = ports;
  for (let at = clock.now(); ; at += 1000) {
    const backup = queuedBackup(backupName(at), ports.database);
    if (await catalog.find(backup.name, signal)) continue;
    await slot.claim(backup.name, holders, signal);
    const isInserted = await catalog.insert(backup, signal).catch(async (error) => {
      // It may be listed all the same.
      await withdraw(backup.name, error);
      throw error;
    });
    if (isInserted) return backup;
    await slot.release(backup.name, signal);
  }
}

function queuedBackup(name: string, database: string): BackupSummary {
  return {
    name,
    kind: 'full',
    status: 'queued',
    database,
    server_version: null,
    started_at: null,
    finished_at: null,
    dump_bytes: null,
    stored_bytes: null,
    sha256: null,
    encrypted: false,
  };
}
