import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, toTimestamp } from '../../src/lib/core/index.ts';
import { parseSchedule } from './ncrontab.ts';
import { resolveSettings } from './settings.ts';
import type { FunctionInfo, Host } from './worker-process.ts';

/** A timer function: never two scheduled runs at once, one run for all that was missed while the host was down. */
export function createTimer(fn: FunctionInfo, host: Host) {
  const { name, binding } = fn;
  const { clock, log } = host;
  const nextAfter = parseSchedule(resolveSettings(binding['schedule'], host.env));
  const file = join(host.stateFolder, `${name}.timer.json`);
  /** When it ran last and is due next, as Azure keeps it in a blob. */
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
      mkdirSync(host.stateFolder, { recursive: true });
      writeFileSync(`${file}.tmp`, JSON.stringify(status));
      renameSync(`${file}.tmp`, file);
    } catch (error) {
      log('warning', `The state of the timer "${name}" could not be kept: ${error}`);
    }
  };
  return async (signal: AbortSignal): Promise<void> => {
    let status = load();
    for (let IsPastDue = Date.parse(status.Next) < clock.now(); ; IsPastDue = false) {
      save(status);
      const dueAt = Date.parse(status.Next);
      // In short pieces: a clock put forward is noticed, and no wait is too long for a timer.
      while (clock.now() < dueAt) await sleep(clock, Math.min(1000, dueAt - clock.now()), signal);
      const startedAt = clock.now();
      const timer = { Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue };
      await host.worker.invoke(fn, { json: JSON.stringify(timer) }, {}).catch(() => undefined);
      signal.throwIfAborted(); // Cut off by the end of the host: past due at the next start.
      status = statusAt(startedAt);
    }
  };
}
