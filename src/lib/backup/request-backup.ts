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

/** Where a request that may be sent again keeps the name of its backup, so that it never takes two. */
export interface Reservation {
  /** Of an attempt that broke off. */
  readonly reserved: string | undefined;
  /** Called before anything bears the name, and again before it is let go. Rejects when another attempt has taken over. */
  reserve(name: string): Promise<void>;
}

/** A backup that is wanted, and whether a worker has still to be called for it. */
export interface RequestedBackup {
  readonly backup: BackupSummary;
  readonly needsWorker: boolean;
}

/**
 * Reserves name and slot for a full backup and enters it as queued. The name is that of the present second, or of the
 * next one that is free; an attempt that broke off is gone on with under its name, from wherever it was.
 *
 * @throws AppError `backup_running` while another one is queued or running
 */
export async function requestBackup(
  ports: RequestPorts,
  reservation: Reservation,
  signal: AbortSignal,
): Promise<RequestedBackup> {
  const { clock, catalog, slot } = ports;
  if (reservation.reserved !== undefined) return await resume(ports, reservation.reserved, signal);
  for (let at = clock.now(); ; at += 1000) {
    const name = backupName(at);
    if (await catalog.find(name, signal)) continue;
    await reservation.reserve(name);
    if (await enter(ports, name, false, signal)) return entered(ports, name, true);
    // Fails for one that was taken over from: by now the slot is that of its successor, under the same name.
    await reservation.reserve(name);
    await slot.release(name, signal);
  }
}

/**
 * Goes on with what an attempt left that broke off. Also one that has given its backup up: its job may be there all the
 * same, and would carry it out some time.
 */
async function resume(ports: RequestPorts, name: string, signal: AbortSignal): Promise<RequestedBackup> {
  const listed = await ports.catalog.find(name, signal);
  if (listed && !wasWithdrawn(listed)) return entered(ports, name, listed.status === 'queued');
  if (!(await enter(ports, name, true, signal))) {
    await ports.catalog.update(name, { ...queuedBackup(name, ports.database), error: undefined }, signal);
  }
  return entered(ports, name, true);
}

/** No worker ever began it: the request for it failed, and was told so. */
function wasWithdrawn({ status, started_at }: BackupSummary): boolean {
  return status === 'failed' && started_at === null;
}

/** The answer is the same for every attempt, however far the backup has come by then. */
function entered({ database }: RequestPorts, name: string, needsWorker: boolean): RequestedBackup {
  return { backup: queuedBackup(name, database), needsWorker };
}

/**
 * Takes the slot and a place in the catalog.
 *
 * @param mayBeUs - whether what stands there under this name is from an earlier attempt
 * @returns false when the name stands in the catalog already
 */
async function enter(
  { catalog, slot, database, holders, withdraw }: RequestPorts,
  name: string,
  mayBeUs: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  await slot.claim(name, { ...holders, mayBeUs }, signal);
  return await catalog.insert(queuedBackup(name, database), signal).catch(async (error) => {
    // It may be listed all the same.
    await withdraw(name, error);
    throw error;
  });
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
