import { AppError, type Clock, type LinkedAbort } from '../core/index.ts';
import type { Database, Snapshot } from '../database/index.ts';
import type { RowReader } from './row-reader.ts';

/** Most rows that are answered at once. */
const maxRows = 100_000;
/** The planner's guess is wrong at times, but hardly by a factor of ten: beyond that, counting is spared. */
const maxEstimatedRows = 10 * maxRows;
/** From the request to the last byte: so long may one answer hold a connection, and a snapshot vacuum back. */
export const maxDurationMs = 60_000;
/** How long a request waits while all connections are in use. */
const maxWaitMs = 2_000;
const retryAfterSeconds = 5;

/** What limits of answers need of the database. */
export type SnapshotSource = Pick<Database, 'openSnapshot' | 'connections'>;

/** @throws AppError `report_too_large` */
export async function refuseTooLarge(report: string, reader: RowReader): Promise<void> {
  if ((await reader.estimate()) > maxEstimatedRows || (await reader.hasMoreThan(maxRows))) {
    throw tooLarge(report, `has more than ${maxRows} rows`);
  }
}

/** Aborts `life` when an answer takes too long; the returned function cancels. */
export function limitDuration(clock: Clock, report: string, life: LinkedAbort): () => void {
  const reason = tooLarge(report, `takes longer than ${maxDurationMs / 1_000} seconds`);
  return clock.after(maxDurationMs, () => life.abort(reason));
}

/**
 * Opens a snapshot that breaks when `life` aborts.
 *
 * @throws AppError `report_busy` when all connections stay in use, `unavailable`
 */
export async function openSnapshot(
  database: SnapshotSource,
  clock: Clock,
  life: LinkedAbort,
): Promise<Snapshot> {
  const giveUpIfBusy = () => {
    const { active, max } = database.connections().direct;
    if (active < max) return;
    life.abort(new AppError('report_busy', 'All connections for reports are in use', { retryAfterSeconds }));
  };
  const cancel = clock.after(maxWaitMs, giveUpIfBusy);
  try {
    return await database.openSnapshot(life.signal);
  } catch (error) {
    // A snapshot that comes after all, too late, is closed by this.
    life.abort(error);
    throw error;
  } finally {
    cancel();
  }
}

function tooLarge(report: string, why: string): AppError {
  return new AppError(
    'report_too_large',
    `The report ${why}: narrow its range, or where this version has runs, ask for it by POST /api/v1/reports/${report}/runs`,
  );
}
