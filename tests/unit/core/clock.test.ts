import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseHttpDate,
  sleep,
  startLifetime,
  systemClock,
  toTimestamp,
} from '../../../src/lib/core/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

describe('sleep', () => {
  it('ends after its time and leaves nothing behind', async () => {
    const clock = fakeClock();
    const { signal } = new AbortController();
    let slept = false;
    const sleeping = sleep(clock, 1_000, signal).then(() => {
      slept = true;
    });

    await clock.advance(999);
    const early = slept;
    await clock.advance(1);
    await sleeping;

    expect(early).toBe(false);
    expect([clock.timers, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
  });

  it('is cut short by its signal, with the reason, and leaves nothing behind', async () => {
    const clock = fakeClock();
    const caller = new AbortController();
    const sleeping = sleep(clock, 1_000, caller.signal);

    caller.abort(new Error('the client has gone'));

    await expect(sleeping).rejects.toThrow('the client has gone');
    expect([clock.timers, getEventListeners(caller.signal, 'abort').length]).toEqual([0, 0]);
  });

  it('does not begin under a signal that has aborted', async () => {
    const clock = fakeClock();

    const sleeping = sleep(clock, 1_000, AbortSignal.abort(new Error('too late')));

    await expect(sleeping).rejects.toThrow('too late');
    expect(clock.timers).toBe(0);
  });
});

describe('systemClock', () => {
  it('calls back once, unless it is cancelled', async () => {
    const calls: string[] = [];

    const cancel = systemClock.after(1, () => calls.push('cancelled'));
    cancel();
    await new Promise<void>((resolve) => {
      systemClock.after(2, () => {
        calls.push('called');
        resolve();
      });
    });

    expect(calls).toEqual(['called']);
  });

  it('does not call back at once for a delay that is longer than a timer can be', async () => {
    let called = false;

    const cancel = systemClock.after(2 ** 31, () => {
      called = true;
    });
    await sleep(systemClock, 5);
    cancel();

    expect(called).toBe(false);
  });

  it('goes on', () => {
    const [wall, steady] = [systemClock.now(), systemClock.monotonicMs()];

    expect(systemClock.now()).toBeGreaterThanOrEqual(wall);
    expect(systemClock.monotonicMs()).toBeGreaterThan(steady);
    expect(systemClock.random()).toBeLessThan(1);
  });
});

describe('toTimestamp', () => {
  it('writes UTC with milliseconds', () => {
    expect(toTimestamp(Date.UTC(2026, 1, 3, 4, 5, 6, 7))).toBe('2026-02-03T04:05:06.007Z');
  });
});

describe('parseHttpDate', () => {
  it('reads what is written as an HTTP date', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
        const wholeSeconds = Math.floor(date.getTime() / 1000) * 1000;

        expect(parseHttpDate(date.toUTCString())).toBe(wholeSeconds);
      }),
    );
  });

  it.each([
    'hello 5',
    '2026-02-03T04:05:06Z',
    'Tue, 31 Feb 2026 00:00:00 GMT',
    'Mon, 03 Feb 2026 04:05:06 GMT',
    'Tue, 03 Feb 2026 04:05:06 +0100',
    'Invalid Date',
    '',
  ])('does not take %j for one', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
  });
});

describe('a lifetime', () => {
  const start = () => {
    const clock = fakeClock();
    return { clock, leftMs: startLifetime(clock, clock.now() + 10_000) };
  };

  it('runs out as time passes', async () => {
    const { clock, leftMs } = start();

    await clock.advance(4_000);
    const early = leftMs();
    await clock.advance(7_000);

    expect([early, leftMs()]).toEqual([6_000, -1_000]);
  });

  it('is not made longer by a wall clock that is put back, and ends when it is put forward', async () => {
    const { clock, leftMs } = start();

    await clock.advance(4_000);
    clock.jump(-3_600_000);
    const putBack = leftMs();
    clock.jump(2 * 3_600_000);

    expect(putBack).toBe(6_000);
    expect(leftMs()).toBeLessThan(0);
  });
});
