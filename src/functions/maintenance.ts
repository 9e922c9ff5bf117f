import { runtime } from '../runtime.ts';
import type { TimerFunction } from './declarations.ts';

/** Does, every five minutes, what is due: finishes what broke off. */
export const maintenance: TimerFunction = {
  name: 'maintenance',
  schedule: '0 */5 * * * *',
  async handle(signal) {
    const { files, backups } = runtime();
    const outcomes = await Promise.allSettled([
      files().finishDeletions(signal),
      files().discardAbandoned(signal),
      backups().settleDead(signal),
    ]);
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    if (failures.length > 0) throw new AggregateError(failures, 'some maintenance could not be done');
  },
};
