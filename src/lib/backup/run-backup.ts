import { AppError, isAppError, linkAbort, startDeadline, toTimestamp } from '../core/index.ts';
import { type Logger, nameResource } from '../observability/index.ts';
import type { Catalog } from './catalog.ts';
import { DumpError, dumpErrorWords } from './engine/dump-error.ts';
import { type FullBackupPorts, runFullBackup } from './full-backup.ts';
import { startHeartbeat } from './heartbeat.ts';
import { type Manifest, readManifest } from './manifest.ts';
import type { BackupSummary } from './shapes.ts';
import type { Holders, Slot, SlotRun } from './slot.ts';

export interface RunPorts extends FullBackupPorts {
  readonly logger: Logger;
  readonly catalog: Catalog;
  readonly slot: Slot;
  /** Tells operators of a backup that has failed: once for each, however often it is tried. Has its own time, and never rejects. */
  onFailure(name: string): Promise<void>;
}

const recordMs = 30_000;
/** The process may end within half a second, and the job may be another worker's in fifteen. */
const handBackMs = 2_000;

/**
 * Carries out a backup that was reserved, or one that has failed, again. One that is stored already is left as it is. Cut off
 * because the process stops, or the job may soon be another worker's, it stays running, and is for whoever comes next.
 *
 * @throws AppError `not_found`, `backup_running` (by somebody else, or another backup), `conflict` when it has lost its turn, or
 *   why the backup failed
 */
export async function runBackup(ports: RunPorts, name: string, signal: AbortSignal): Promise<void> {
  const { catalog, logger } = ports;
  nameResource('backups', name);
  const entry = await catalog.find(name, signal);
  if (!entry) throw new AppError('not_found', 'There is no such backup');
  if (isOver(entry) && entry.status !== 'failed')
    return logger.info('the backup is over already', { backup: name, status: entry.status });
  const hold = await takeTurn(ports, entry, signal);
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
  if ('error' in outcome && isAppError(signal.reason, 'unavailable')) {
    logger.warning('the backup is left to whoever comes next', { backup: name, error: outcome.error });
    await handBack(ports, hold, name);
    throw signal.reason;
  }
  if ('error' in outcome) {
    logger.error('the backup failed', { backup: name, error: outcome.error });
    await finishBackup(ports, hold, entry, failure(outcome.error, toTimestamp(ports.clock.now())));
    throw outcome.error;
  }
  await finishBackup(ports, hold, entry, success(outcome.manifest));
  const { dump_bytes, stored_bytes, tables } = outcome.manifest;
  logger.info('the backup is stored', { backup: name, dump_bytes, stored_bytes, tables: tables.length });
}

/** Spares the next run the five minutes after which this one would be taken for dead, and the job most of its attempts. */
async function handBack({ clock, logger }: RunPorts, hold: SlotRun, name: string): Promise<void> {
  using time = startDeadline(clock, handBackMs);
  await hold.handBack(time.signal).catch((error) => {
    logger.warning('the turn of a backup could not be handed back', { backup: name, error });
  });
}

/** A backup that has failed gave its turn back when it did. */
async function takeTurn(
  ports: RunPorts,
  { name, status }: BackupSummary,
  signal: AbortSignal,
): Promise<SlotRun | undefined> {
  const { slot } = ports;
  const hold = await slot.start(name, signal);
  if (hold || status !== 'failed') return hold;
  await slot.claim(name, holdersOf(ports, signal), signal);
  return await slot.start(name, signal);
}

/** What the slot asks about backups that hold it. */
export function holdersOf(ports: RunPorts, signal: AbortSignal): Holders {
  return {
    settle: (name) => settleBackup(ports, name, signal),
    isListed: async (name) => (await ports.catalog.find(name, signal)) !== undefined,
  };
}

async function carryOut(ports: RunPorts, entry: BackupSummary, signal: AbortSignal): Promise<Manifest> {
  const { clock, catalog } = ports;
  const { name } = entry;
  const error = isTold(entry) ? entry.error : undefined;
  const begun = { started_at: toTimestamp(clock.now()), finished_at: null, error };
  await catalog.update(name, { ...begun, status: 'running' }, signal);
  const earlier = entry.status === 'running' ? await findWhole(ports, name, signal) : undefined;
  return earlier ?? (await runFullBackup(ports, { name, signal }));
}

/** Writes down that a backup will not be carried out, and gives its slot back; not when a worker has begun it meanwhile. */
export async function withdrawBackup(ports: RunPorts, name: string, error: unknown): Promise<void> {
  const { clock, catalog, logger, slot } = ports;
  using time = startDeadline(clock, recordMs);
  const hold = await slot.start(name, time.signal).catch((refusal) => {
    if (!isAppError(refusal, 'backup_running')) throw refusal;
  });
  if (!hold) return logger.info('the backup is not withdrawn: a worker has begun it', { backup: name });
  await catalog.update(name, failure(error, toTimestamp(clock.now())), time.signal);
  await hold.release(time.signal);
}

/**
 * Has its own time: what ended the backup may be that its time was over. The slot is only given back when the catalog
 * knows the outcome; otherwise the next request settles it.
 *
 * @param entry - as it was before this run
 * @throws AppError `conflict` when another run has taken the slot: the outcome is for that one to write down
 */
async function finishBackup(
  ports: RunPorts,
  hold: SlotRun,
  entry: BackupSummary,
  outcome: Partial<BackupSummary>,
): Promise<void> {
  const { clock, catalog } = ports;
  using time = startDeadline(clock, recordMs);
  // Also keeps the slot for as long as this takes.
  if (!(await hold.beat(time.signal))) {
    throw new AppError('conflict', 'Another run has taken the place of this backup');
  }
  if (outcome.status === 'failed') await tellFailure(ports, entry);
  await catalog.update(entry.name, outcome, time.signal);
  await hold.release(time.signal);
}

/**
 * At the first failure, because ten attempts take more than ten minutes; not at any later one, which would say the same. Before
 * it is written down: a process that dies in between has operators told twice, rather than never.
 *
 * @param entry - as it was before it failed
 */
async function tellFailure({ onFailure }: RunPorts, entry: BackupSummary): Promise<void> {
  if (!isTold(entry)) await onFailure(entry.name);
}

/** The failure of an earlier run stays in the catalog until one succeeds. One that nobody began was withdrawn, and its client told. */
function isTold({ error, started_at }: BackupSummary): boolean {
  return error !== undefined && started_at !== null;
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
  if (!manifest) await tellFailure(ports, entry);
  await catalog.update(name, outcome, signal);
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
  return { ...facts, status: 'stored', error: undefined };
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
