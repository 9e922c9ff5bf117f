import { AppError, type Clock, type LinkedAbort, startDeadline } from '../core/index.ts';
import type { Database, Row } from '../database/index.ts';
import type { Logger } from '../observability/index.ts';
import { extendClaim } from './claims.ts';

const heartbeatMs = 30_000;
/** A claim lasts 120 s: time for three beats, and 15 s for the job to end before another worker may begin. */
const holdMs = 105_000;

interface HeartbeatPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
}

/**
 * Keeps the claim alive while the job runs. Aborts the job when the claim has gone to another worker, or when it could not be
 * renewed for so long that it soon may: then with an {@link AppError} `unavailable`, because whoever has the job next does it.
 *
 * @param claimedMs - of the steady clock, from before the claim was asked for
 */
export function startHeartbeat(
  { clock, logger, database }: HeartbeatPorts,
  job: Row<'jobs'>,
  life: LinkedAbort,
  claimedMs: number,
): () => void {
  let cancel = () => {};
  let stopped = false;
  const leftFrom = (sentMs: number) => sentMs + holdMs - clock.monotonicMs();
  const hold = startDeadline(clock, leftFrom(claimedMs));
  const end = (why: string) => {
    stopped = true;
    cancel();
    life.abort(new AppError('unavailable', why));
  };
  hold.signal.addEventListener('abort', () => end('The claim on the job could not be renewed'));
  const beat = async () => {
    const sentMs = clock.monotonicMs();
    try {
      // Not the signal of the job: one that was told to end has its claim until it has.
      if (await extendClaim(database, job, hold.signal)) hold.extend(leftFrom(sentMs));
      else if (!stopped) end('Another worker has taken the job over');
    } catch (error) {
      // The next beat makes up for it.
      logger.warning('the claim on a job could not be renewed', { job_id: job.id, error });
    }
  };
  const schedule = () => {
    cancel = clock.after(heartbeatMs, () => {
      void beat().finally(() => {
        if (!stopped) schedule();
      });
    });
  };
  schedule();
  return () => {
    stopped = true;
    cancel();
    hold[Symbol.dispose]();
  };
}
