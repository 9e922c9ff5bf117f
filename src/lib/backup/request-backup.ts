import type { Clock } from '../core/index.ts';
import type { Catalog } from './catalog.ts';
import { backupName } from './names.ts';
import type { BackupSummary } from './shapes.ts';
import type { Slot } from './slot.ts';

interface RequestPorts {
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly slot: Slot;
  /** Name of the database that will be dumped. */
  readonly database: string;
  /** Writes down what became of a backup whose process died. */
  readonly settle: (name: string, signal: AbortSignal) => Promise<void>;
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
  const { clock, catalog, slot, settle, withdraw } = ports;
  const holders = {
    settle: (dead: string) => settle(dead, signal),
    isListed: async (name: string) => (await catalog.find(name, signal)) !== undefined,
  };
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
