import { AppError, isAppError, linkAbort, startDeadline, toTimestamp } from '../core/index.ts';
import type { Logger } from '../observability/index.ts';
import type { Catalog } from './catalog.ts';
import { DumpError, dumpErrorWords } from './engine/dump-error.ts';
import { type FullBackupPorts, runFullBackup } from './full-backup.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type Manifest, readManifest } from './manifest.ts';
import type { BackupSummary } from './shapes.ts';
import type { Slot } from './slot.ts';

export interface RunPorts extends FullBackupPorts {
  readonly logger: Logger;
  readonly catalog: Catalog;
  readonly slot: Slot;
  /** Tells operators of a backup that has failed. Has its own time, and never rejects. */
  onFailure(name: string): Promise<void>;
}

const recordMs = 30_000;

/**
 * Carries out a backup that was reserved. One that is stored already is left as it is.
 *
 * @throws AppError `not_found`, `conflict` when it has failed already, `backup_running` (by somebody else), or why the
 *   backup failed
 */
export async function runBackup(ports: RunPorts, name: string, signal: AbortSignal): Promise<void> {
  const { catalog, slot, logger } = ports;
  const entry = await catalog.find(name, signal);
  if (!entry) throw new AppError('not_found', 'There is no such backup');
  if (entry.status === 'failed') throw new AppError('conflict', 'The backup has failed already');
  if (isOver(entry)) return logger.info('the backup is over already', { backup: name, status: entry.status });
  const hold = await slot.start(name, signal);
  if (!hold) {
    await settleBackup(ports, name, signal);
    throw new AppError('conflict', 'The backup has lost its turn');
  }
  using run = linkAbort(signal);
  const stopHeartbeat = startHeartbeat(ports, hold, run);
  const outcome = await carryOut(ports, entry, run.signal).then(
    (manifest) => ({ manifest }),
    (error: unknown) => ({ error }),
  );
  // Before the slot is given back: a beat still under way would take it again.
  await stopHeartbeat();
  if ('error' in outcome) {
    logger.error('the backup failed', { backup: name, error: outcome.error });
    await withdrawBackup(ports, name, outcome.error);
    await ports.onFailure(name);
    throw outcome.error;
  }
  await finishBackup(ports, name, success(outcome.manifest));
  const { dump_bytes, stored_bytes, tables } = outcome.manifest;
  logger.info('the backup is stored', { backup: name, dump_bytes, stored_bytes, tables: tables.length });
}

async function carryOut(ports: RunPorts, entry: BackupSummary, signal: AbortSignal): Promise<Manifest> {
  const { clock, catalog } = ports;
  const { name } = entry;
  await catalog.update(name, { status: 'running', started_at: toTimestamp(clock.now()) }, signal);
  const earlier = entry.status === 'running' ? await findWhole(ports, name, signal) : undefined;
  return earlier ?? (await runFullBackup(ports, { name, signal }));
}

/** Writes down that a backup has failed, or will not be carried out, and gives its slot back. */
export async function withdrawBackup(ports: RunPorts, name: string, error: unknown): Promise<void> {
  await finishBackup(ports, name, failure(error, toTimestamp(ports.clock.now())));
}

/**
 * Has its own time: what ended the backup may be that its time was over. The slot is only given back when the catalog
 * knows the outcome; otherwise the next request settles it.
 */
async function finishBackup(
  { clock, catalog, slot }: RunPorts,
  name: string,
  outcome: Partial<BackupSummary>,
): Promise<void> {
  using time = startDeadline(clock, recordMs);
  await catalog.update(name, outcome, time.signal);
  await slot.release(name, time.signal);
}

/** Writes down what became of a backup whose process died: its manifest tells whether it was finished. */
export async function settleBackup(ports: RunPorts, name: string, signal: AbortSignal): Promise<void> {
  const { clock, catalog, logger } = ports;
  const entry = await catalog.find(name, signal);
  if (!entry || isOver(entry)) return;
  const manifest = await findWhole(ports, name, signal);
  logger.warning('a backup was abandoned', { backup: name, was_stored: manifest !== undefined });
  const abandoned = { code: 'abandoned', message: 'The process that ran this backup ended without a word' };
  const outcome = manifest
    ? success(manifest)
    : { status: 'failed' as const, finished_at: toTimestamp(clock.now()), error: abandoned };
  await catalog.update(name, outcome, signal);
  if (!manifest) await ports.onFailure(name);
}

/** The manifest of a backup, if the dump it describes is there. */
async function findWhole({ blobs }: RunPorts, name: string, signal: AbortSignal) {
  const manifest = await readManifest(blobs, name, signal);
  const dump = manifest && (await blobs.head(name, { signal }));
  return dump?.sizeBytes === manifest?.stored_bytes ? manifest : undefined;
}

function isOver({ status }: BackupSummary): boolean {
  return status !== 'queued' && status !== 'running';
}

function success(manifest: Manifest): Partial<BackupSummary> {
  const { format_version: _format, pg_dump_version: _tool, tables: _tables, ...facts } = manifest;
  return { ...facts, status: 'stored' };
}

/** Fixed words only: those of pg_dump name hosts and roles, others may hold anything. The log has them all. */
function failure(error: unknown, finished_at: string): Partial<BackupSummary> {
  const shown =
    error instanceof DumpError
      ? { code: error.code, message: dumpErrorWords[error.code] }
      : isAppError(error)
        ? { code: error.code, message: error.message }
        : { code: 'internal', message: 'Something went wrong here; the log says what' };
  return { status: 'failed', finished_at, error: shown };
}
