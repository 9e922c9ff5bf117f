import { runtime } from '../runtime.ts';
import type { TimerFunction } from './declarations.ts';

/**
 * Does, every five minutes, what is due: finishes what broke off, removes what is old, and seals the audit trail. One run at a time: a run that takes longer than five
 * minutes, or a timer that fires on two instances, would do the same work twice.
 */
export const maintenance: TimerFunction = {
  name: 'maintenance',
  schedule: '0 */5 * * * *',
  async handle(signal) {
    const { locks, logger } = runtime();
    const wasFree = await locks.withLease('maintenance', maintain, { signal });
    if (!wasFree) logger.info('maintenance was skipped: another run is under way');
  },
};

async function maintain(signal: AbortSignal): Promise<void> {
  const { files, backups, jobs, idempotency, credentialGuard, audit } = runtime();
  const outcomes = await Promise.allSettled([
    files().finishDeletions(signal),
    files().discardAbandoned(signal),
    backups().settleDead(signal),
    jobs().collectPoison(signal),
    jobs().callAgain(signal),
    jobs().removeOld(signal),
    idempotency.removeExpired(signal),
    credentialGuard.removeOld(signal),
    audit.seal(signal),
  ]);
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, 'some maintenance could not be done');
}
