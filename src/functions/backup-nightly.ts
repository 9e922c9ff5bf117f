import { runtime } from '../runtime.ts';
import type { TimerFunction } from './declarations.ts';

/** Takes the nightly backup at 02:00 UTC. */
export const backupNightly: TimerFunction = {
  name: 'backup-nightly',
  schedule: '0 0 2 * * *',
  async handle(signal) {
    const { config, logger, backups } = runtime();
    if (config.ENABLE_AUTOMATED_BACKUPS) await backups().runNightly(signal);
    else logger.warning('automated backups are switched off by ENABLE_AUTOMATED_BACKUPS');
  },
};
