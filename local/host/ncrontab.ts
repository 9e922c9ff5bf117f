import { Cron } from 'croner';
import { LocalError } from '../local-error.ts';

/**
 * Reads an NCRONTAB expression, with or without seconds, in UTC. Day and weekday must both match, as in the host.
 *
 * @returns what finds the first time after another, in epoch milliseconds
 */
export function parseSchedule(expression: string): (epochMs: number) => number {
  const options = { timezone: 'UTC', domAndDow: true, mode: '5-or-6-parts', sloppyRanges: true } as const;
  try {
    const cron = new Cron(expression, { ...options, paused: true });
    return (epochMs) => {
      const next = cron.nextRun(new Date(epochMs));
      if (next) return next.getTime();
      throw new LocalError(`The schedule "${expression}" names a time that never comes.`);
    };
  } catch (cause) {
    throw new LocalError(`The schedule "${expression}" is not an NCRONTAB expression.`, { cause });
  }
}
