import { describe, expect, it, onTestFinished } from 'vitest';
import { startHeartbeat } from '../../../src/lib/backup/heartbeat.ts';
import { createSlot } from '../../../src/lib/backup/slot.ts';
import { linkAbort } from '../../../src/lib/core/index.ts';
import { createLogger } from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';

const { signal } = new AbortController();
const minute = 60_000;
const running = { name: 'AppError', code: 'backup_running' };

function makeSlot() {
  const clock = fakeClock();
  const table = memoryTableStore();
  const slot = createSlot({ table, clock });
  const abandoned: string[] = [];
  const unlisted: string[] = [];
  const holders = {
    settle: async (dead: string) => abandoned.push(dead),
    isListed: async (name: string) => !unlisted.includes(name),
  };
  const claim = (name: string) => slot.claim(name, holders, signal);
  const startRun = async (name: string) => {
    const run = await slot.start(name, signal);
    if (!run) throw new Error(`${name} does not hold the slot`);
    return run;
  };
  return { clock, table, slot, abandoned, unlisted, claim, startRun };
}

describe('the slot', () => {
  it('is held by one backup until that gives it back', async () => {
    const { slot, claim, abandoned } = makeSlot();
    await claim('a');

    await expect(claim('b')).rejects.toMatchObject(running);
    await slot.release('b', signal);
    await expect(claim('b')).rejects.toMatchObject(running);
    await slot.release('a', signal);
    await claim('b');

    expect(await slot.start('a', signal)).toBeUndefined();
    expect(await slot.start('b', signal)).toBeDefined();
    expect(abandoned).toEqual([]);
  });

  it('goes to exactly one of many that ask at once', async () => {
    const { claim } = makeSlot();

    const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd'].map(claim));

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is taken from a queued backup that nobody carried out for an hour', async () => {
    const { clock, claim, abandoned } = makeSlot();
    await claim('a');

    await clock.advance(60 * minute);
    await expect(claim('b')).rejects.toMatchObject(running);
    await clock.advance(1);
    await claim('b');

    expect(abandoned).toEqual(['a']);
  });

  it('is taken at once from a backup that never came into the catalog', async () => {
    const { clock, claim, abandoned, unlisted } = makeSlot();
    await claim('a');
    unlisted.push('a');

    await clock.advance(3 * minute);
    await expect(claim('b')).rejects.toMatchObject(running);
    await clock.advance(1);
    await claim('b');

    expect(abandoned).toEqual(['a']);
  });

  it('is taken from a running backup that was silent for five minutes', async () => {
    const { clock, claim, startRun, abandoned } = makeSlot();
    await claim('a');
    await clock.advance(30 * minute);
    const run = await startRun('a');

    await clock.advance(5 * minute);
    await expect(claim('b')).rejects.toMatchObject(running);
    await clock.advance(1);
    await claim('b');

    expect(abandoned).toEqual(['a']);
    expect(await run.beat(signal)).toBe(false);
  });

  it('stays with a running backup that beats', async () => {
    const { clock, claim, startRun } = makeSlot();
    await claim('a');
    const run = await startRun('a');

    for (let beats = 0; beats < 10; beats++) {
      await clock.advance(4 * minute);
      expect(await run.beat(signal)).toBe(true);
    }

    await expect(claim('b')).rejects.toMatchObject(running);
  });

  it('goes to one of many that take it from a dead one', async () => {
    const { clock, claim } = makeSlot();
    await claim('a');
    await clock.advance(61 * minute);

    const outcomes = await Promise.allSettled(['b', 'c', 'd'].map(claim));

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('lets a backup run once at a time, and again when its run has died', async () => {
    const { clock, slot, claim, startRun } = makeSlot();
    await claim('a');
    const first = await startRun('a');

    await expect(slot.start('a', signal)).rejects.toMatchObject(running);
    await clock.advance(5 * minute + 1);
    const second = await startRun('a');

    expect(await first.beat(signal)).toBe(false);
    expect(await second.beat(signal)).toBe(true);
  });
});

describe('a run that is handed back', () => {
  it('leaves the slot to its backup, which may start again at once', async () => {
    const { claim, startRun } = makeSlot();
    await claim('a');
    const first = await startRun('a');

    await first.handBack(signal);

    await expect(claim('b')).rejects.toMatchObject(running);
    const second = await startRun('a');
    expect(await first.beat(signal)).toBe(false);
    expect(await second.beat(signal)).toBe(true);
  });

  it('takes nothing from a run that has come in its place', async () => {
    const { clock, slot, claim, startRun } = makeSlot();
    await claim('a');
    const first = await startRun('a');
    await clock.advance(5 * minute + 1);
    const second = await startRun('a');

    await first.handBack(signal);

    await expect(slot.start('a', signal)).rejects.toMatchObject(running);
    expect(await second.beat(signal)).toBe(true);
  });
});

describe('a run that has ended', () => {
  it('frees the slot', async () => {
    const { claim, startRun } = makeSlot();
    await claim('a');

    await (await startRun('a')).release(signal);

    await claim('b');
  });

  it('takes nothing from a run that has come in its place', async () => {
    const { clock, claim, startRun } = makeSlot();
    await claim('a');
    const first = await startRun('a');
    await clock.advance(5 * minute + 1);
    const second = await startRun('a');

    await first.release(signal);

    await expect(claim('b')).rejects.toMatchObject(running);
    expect(await second.beat(signal)).toBe(true);
  });

  it('is not ended by whoever queued its backup', async () => {
    const { slot, claim, startRun } = makeSlot();
    await claim('a');
    const run = await startRun('a');

    await slot.release('a', signal);

    expect(await run.beat(signal)).toBe(true);
  });
});

describe('the heartbeat', () => {
  function startBeating(beat: () => Promise<boolean>) {
    const clock = fakeClock();
    const lines: string[] = [];
    const logger = createLogger({ clock, level: 'info', write: (line) => lines.push(line) });
    const run = linkAbort(signal);
    const stop = startHeartbeat(
      { clock, logger },
      { beat, handBack: async () => {}, release: async () => {} },
      run,
    );
    onTestFinished(() => run[Symbol.dispose]());
    return { clock, run, stop, lines };
  }

  it('comes every half a minute until it is stopped', async () => {
    let beats = 0;
    const { clock, run, stop } = startBeating(async () => ++beats > 0);

    await clock.advance(10 * minute);
    await stop();
    await clock.advance(10 * minute);

    expect(beats).toBe(20);
    expect(run.signal.aborted).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it('aborts the run at once when the slot is lost', async () => {
    let isHeld = true;
    const { clock, run } = startBeating(async () => isHeld);

    await clock.advance(minute);
    isHeld = false;
    await clock.advance(minute / 2);

    expect(run.signal.reason).toMatchObject({ name: 'AppError', code: 'conflict' });
    expect(clock.timers).toBe(0);
  });

  it('bears an outage, but not one so long that others would take the slot', async () => {
    let isOut = false;
    const { clock, run, lines } = startBeating(async () => {
      if (isOut) throw new Error('out of reach');
      return true;
    });

    isOut = true;
    await clock.advance(3 * minute);
    isOut = false;
    await clock.advance(minute);
    isOut = true;
    await clock.advance(3.5 * minute);
    const wasAborted = run.signal.aborted;
    await clock.advance(0.5 * minute);

    expect(wasAborted).toBe(false);
    expect(run.signal.reason).toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect(lines[0]).toContain('heartbeat');
  });
});
