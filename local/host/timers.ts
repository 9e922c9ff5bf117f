import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, toTimestamp } from '../../src/lib/core/index.ts';
import type { Trigger, TriggerContext } from './contract.ts';
import { parseSchedule } from './ncrontab.ts';
import { resolveSettings } from './settings.ts';

/** A timer function: never two scheduled runs at once, one run for all that was missed while the host was down. */
export function createTimer({ name, binding, env, stateFolder, clock, log, run }: TriggerContext): Trigger {
  const nextAfter = parseSchedule(resolveSettings(binding['schedule'], env));
  const file = join(stateFolder, `${name}.timer.json`);
  /** When it ran last and is due next, as Azure keeps it in a blob; times are ISO 8601. */
  const statusAt = (fromMs: number, Last = toTimestamp(fromMs)) => {
    return { Last, Next: toTimestamp(nextAfter(fromMs)), LastUpdated: toTimestamp(fromMs) };
  };
  const load = () => {
    try {
      const { Last, LastUpdated } = JSON.parse(readFileSync(file, 'utf8'));
      return statusAt(Date.parse(LastUpdated), Last);
    } catch {
      // Missing or broken: as if it had never run.
      return statusAt(clock.now(), '0001-01-01T00:00:00.000Z');
    }
  };
  const save = (status: object) => {
    try {
      mkdirSync(stateFolder, { recursive: true });
      writeFileSync(`${file}.tmp`, JSON.stringify(status));
      renameSync(`${file}.tmp`, file);
    } catch (error) {
      log('warning', `The state of the timer "${name}" could not be kept: ${error}`);
    }
  };
  return async (signal) => {
    let status = load();
    let isPastDue = Date.parse(status.Next) < clock.now();
    for (let startNow = binding['runOnStartup'] === true; ; startNow = false) {
      save(status);
      const dueAt = Date.parse(status.Next);
      // In short pieces: a clock put forward is noticed, and no wait is too long for a timer.
      while (!startNow && clock.now() < dueAt)
        await sleep(clock, Math.min(1000, dueAt - clock.now()), signal);
      const startedAt = clock.now();
      const timer = { Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue: isPastDue };
      await run({ json: JSON.stringify(timer) }, {}).catch(() => undefined);
      // Cut off by the end of the host: past due at the next start.
      signal.throwIfAborted();
      status = statusAt(startedAt);
      isPastDue = false;
    }
  };
}
