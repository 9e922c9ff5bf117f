import type { Clock, LinkedAbort } from '../core/index.ts';
import type { Database, Row } from '../database/index.ts';
import type { Logger } from '../observability/index.ts';
import { extendClaim } from './claims.ts';

/** A claim of 120 s outlives three beats that are missed. */
const heartbeatMs = 30_000;

interface HeartbeatPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
}

/** Keeps the claim alive while the job runs; aborts the job when the claim has gone to another worker. */
export function startHeartbeat(
  { clock, logger, database }: HeartbeatPorts,
  job: Row<'jobs'>,
  life: LinkedAbort,
): () => void {
  let cancel = () => {};
  let stopped = false;
  const beat = async () => {
    try {
      if (await extendClaim(database, job, life.signal)) return;
      stopped = true;
      life.abort(new Error('another worker has taken the job over'));
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
  };
}
