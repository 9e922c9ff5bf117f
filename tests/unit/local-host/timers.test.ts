import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTimer } from '../../../local/host/timers.ts';
import type { Host } from '../../../local/host/worker-process.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const start = Date.UTC(2026, 0, 1);

interface Run {
  readonly at: number;
  readonly IsPastDue: boolean;
  readonly ScheduleStatus: { Last: string; Next: string } | null;
}

let stateFolder: string;
let runs: Run[];
beforeEach(() => {
  stateFolder = mkdtempSync(join(tmpdir(), 'timers-'));
  runs = [];
});
afterEach(() => rmSync(stateFolder, { recursive: true, force: true }));

/** Starts a timer as a host that has just come up would; `stop` is its end. */
function startTimer(clock: FakeClock, binding: object, work: () => Promise<unknown> = async () => true) {
  const lines: string[] = [];
  const fn = { name: 'tidy', trigger: 'timer', binding: { type: 'timerTrigger', ...binding } };
  const context = {
    env: { WHEN: '0 */5 * * * *' },
    settings: {} as Host['settings'],
    stateFolder,
    clock,
    log: (_level: string, message: string) => void lines.push(message),
    appFolder: '',
    port: 0,
    functions: [fn],
    worker: {
      httpPort: 0,
      invoke: (_: object, input: object) => {
        runs.push({ at: clock.now() - start, ...JSON.parse(Object.values(input)[0]) });
        return work();
      },
    },
  };
  const stopping = new AbortController();
  const ended = createTimer(fn, context)(stopping.signal).catch((error) => error);
  const stop = () => {
    stopping.abort();
    return ended;
  };
  return { stop, lines };
}

const statusFile = () => join(stateFolder, 'tidy.timer.json');
const status = () => JSON.parse(readFileSync(statusFile(), 'utf8'));

describe('a timer', () => {
  it('runs when its schedule, read from a setting, says so', async () => {
    const clock = fakeClock({ startAt: start });
    const { stop } = startTimer(clock, { schedule: '%WHEN%' });

    await clock.advance(11 * minute);
    await stop();

    expect(runs.map(({ at, IsPastDue }) => [at, IsPastDue])).toEqual([
      [5 * minute, false],
      [10 * minute, false],
    ]);
    expect(runs[1]?.ScheduleStatus).toMatchObject({
      Last: '2026-01-01T00:05:00.000Z',
      Next: '2026-01-01T00:10:00.000Z',
    });
    expect(clock.timers).toBe(0);
  });

  it('goes on after a run that failed', async () => {
    const clock = fakeClock({ startAt: start });
    const { stop } = startTimer(clock, { schedule: '%WHEN%' }, () => Promise.reject(new Error('no')));

    await clock.advance(10 * minute);
    await stop();

    expect(runs).toHaveLength(2);
  });

  it('never runs twice at once, and makes up for what a long run missed with one run', async () => {
    const clock = fakeClock({ startAt: start });
    let finish = () => {};
    const { stop } = startTimer(
      clock,
      { schedule: '%WHEN%' },
      () => new Promise<void>((resolve) => (finish = resolve)),
    );
    await clock.advance(17 * minute);
    const during = runs.length;

    finish();
    await clock.advance(0);
    const { length } = runs;
    finish();
    await clock.advance(2 * minute);
    await stop();

    expect([during, length, runs.length]).toEqual([1, 2, 2]);
  });

  it('remembers what it missed while the host was down, and runs once for it', async () => {
    const before = startTimer(fakeClock({ startAt: start }), { schedule: '%WHEN%' });
    await before.stop();
    const clock = fakeClock({ startAt: start + 32 * minute });

    const { stop } = startTimer(clock, { schedule: '%WHEN%' });
    await clock.advance(4 * minute);
    await stop();

    expect(runs.map(({ at, IsPastDue }) => [at / minute, IsPastDue])).toEqual([
      [32, true],
      [35, false],
    ]);
    expect(status()).toMatchObject({ Last: '2026-01-01T00:35:00.000Z', Next: '2026-01-01T00:40:00.000Z' });
  });

  it('is past due again when the host ended in the middle of a run', async () => {
    const clock = fakeClock({ startAt: start });
    let fail = () => {};
    const { stop } = startTimer(
      clock,
      { schedule: '%WHEN%' },
      () => new Promise((_, reject) => (fail = () => reject(new Error('killed')))),
    );
    await clock.advance(5 * minute);
    const ended = stop();
    fail();
    await ended;

    expect(status()).toMatchObject({ Next: '2026-01-01T00:05:00.000Z' });
  });

  it('takes a change of its schedule up at once', async () => {
    await startTimer(fakeClock({ startAt: start }), { schedule: '0 0 0 * * *' }).stop();
    const clock = fakeClock({ startAt: start + minute });

    const { stop } = startTimer(clock, { schedule: '%WHEN%' });
    await clock.advance(5 * minute);
    await stop();

    expect(runs.map(({ at, IsPastDue }) => [at / minute, IsPastDue])).toEqual([[5, false]]);
  });

  it('waits longer than the 24.8 days a timer of Node knows', async () => {
    const clock = fakeClock({ startAt: start });
    const { stop } = startTimer(clock, { schedule: '0 0 0 1 3 *' });
    clock.jump(58 * day);

    await clock.advance(minute);
    const early = runs.length;
    clock.jump(day);
    await clock.advance(1000);
    await stop();

    expect([early, runs.length]).toEqual([0, 1]);
  });

  it('runs once, at once, when the clock is put forward past its time', async () => {
    const clock = fakeClock({ startAt: start });
    const { stop } = startTimer(clock, { schedule: '%WHEN%' });
    await clock.advance(minute);

    clock.jump(60 * minute);
    await clock.advance(2000);
    await stop();

    expect(runs).toHaveLength(1);
  });

  it('does not run the same time twice when the clock is put back', async () => {
    const clock = fakeClock({ startAt: start });
    const { stop } = startTimer(clock, { schedule: '%WHEN%' });
    await clock.advance(5 * minute);

    clock.jump(-2 * minute);
    await clock.advance(3 * minute);
    const { length } = runs;
    await clock.advance(4 * minute);
    await stop();

    expect([length, runs.length]).toEqual([1, 2]);
  });

  it.each(['', '{"Last"', '{}', 'null'])('takes a memory that reads %j for none', async (text) => {
    writeFileSync(statusFile(), text);
    const clock = fakeClock({ startAt: start });

    const { stop } = startTimer(clock, { schedule: '%WHEN%' });
    await clock.advance(minute);
    await stop();

    expect(runs).toEqual([]);
    expect(status()).toMatchObject({ Next: '2026-01-01T00:05:00.000Z' });
  });

  it('goes on, and says so, when its memory cannot be written', async () => {
    rmSync(stateFolder, { recursive: true });
    writeFileSync(stateFolder, 'not a folder');
    const clock = fakeClock({ startAt: start });

    const { stop, lines } = startTimer(clock, { schedule: '%WHEN%' });
    await clock.advance(10 * minute);
    await stop();

    expect(runs).toHaveLength(2);
    expect(lines[0]).toContain('"tidy"');
  });
});
