import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, toTimestamp } from '../../src/lib/core/index.ts';
import { parseSchedule } from './ncrontab.ts';
import { resolveSettings } from './settings.ts';
import type { Trigger, TriggerContext } from './trigger.ts';

const never = '0001-01-01T00:00:00.000Z';

/** When a timer ran last and is due next, as Azure keeps it in a blob; times are ISO 8601. */
interface TimerStatus {
  readonly Last: string;
  readonly Next: string;
  readonly LastUpdated: string;
}

/** A timer function: never two scheduled runs at once, one run for all that was missed while the host was down. */
export function createTimer({ name, binding, env, stateFolder, clock, log, run }: TriggerContext): Trigger {
  const schedule = parseSchedule(resolveSettings(binding['schedule'], env));
  // The host gives up the memory of a schedule that is due twice in the next minute.
  const isFrequent = schedule(schedule(clock.now())) < clock.now() + 60_000;
  const file =
    !isFrequent && binding['useMonitor'] !== false ? join(stateFolder, `${name}.timer.json`) : undefined;
  const statusAt = (last: string, fromMs: number): TimerStatus => {
    return { Last: last, Next: toTimestamp(schedule(fromMs)), LastUpdated: toTimestamp(fromMs) };
  };
  const runWith = (IsPastDue: boolean, ScheduleStatus: TimerStatus | null) => {
    return run({ json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus, IsPastDue }) }, {});
  };

  function read(): TimerStatus | null {
    try {
      return file ? JSON.parse(readFileSync(file, 'utf8')) : null;
    } catch {
      // Missing or broken: as if it had never run.
      return null;
    }
  }
  function save(status: TimerStatus): TimerStatus {
    if (!file) return status;
    try {
      mkdirSync(stateFolder, { recursive: true });
      writeFileSync(`${file}.tmp`, JSON.stringify(status));
      renameSync(`${file}.tmp`, file);
    } catch (error) {
      log('warning', `The state of the timer "${name}" could not be kept: ${error}`);
    }
    return status;
  }
  function load(): TimerStatus {
    const stored = read();
    const base = stored ? Date.parse(stored.Last === never ? stored.LastUpdated : stored.Last) : Number.NaN;
    if (!stored || Number.isNaN(base)) return save(statusAt(never, clock.now()));
    if (toTimestamp(schedule(base)) === stored.Next) return stored;
    // The schedule has changed: what the new one would have missed is not past due.
    return save(statusAt(never, schedule(base) < clock.now() ? clock.now() : base));
  }

  return {
    runNow: () => runWith(false, read()),
    async start(signal) {
      let status = load();
      let isPastDue = file !== undefined && Date.parse(status.Next) < clock.now();
      for (let startNow = isPastDue || binding['runOnStartup'] === true; ; startNow = false) {
        // In short pieces: a clock put forward is noticed, and no wait is too long for a timer.
        while (!startNow && clock.now() < Date.parse(status.Next))
          await sleep(clock, Math.min(1000, Date.parse(status.Next) - clock.now()), signal);
        const startedAt = clock.now();
        await runWith(isPastDue, file ? status : null).catch(() => undefined);
        // Cut off by the end of the host: past due at the next start.
        signal.throwIfAborted();
        status = save(statusAt(toTimestamp(startedAt), startedAt));
        isPastDue = false;
      }
    },
  };
}
