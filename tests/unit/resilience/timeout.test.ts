import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AttemptTimeoutError, withTimeout } from '../../../src/lib/resilience/timeout.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const hangs = () => new Promise<never>(() => {});

describe('withTimeout', () => {
  it('does not begin under a signal that has aborted', async () => {
    const clock = fakeClock();
    let began = false;

    const result = await withTimeout(clock, 10, AbortSignal.abort('over'), async () => {
      began = true;
    }).catch((error: unknown) => error);

    expect([result, began, clock.timers]).toEqual(['over', false, 0]);
  });

  it('ends at its time, not before, and tells the work why', async () => {
    const clock = fakeClock();
    const caller = new AbortController();
    const signals: AbortSignal[] = [];
    const run = withTimeout(clock, 10, caller.signal, (own) => {
      signals.push(own);
      return hangs();
    }).catch((error: unknown) => error);

    await clock.advance(9);
    const before = signals[0]?.aborted;
    await clock.advance(1);

    expect(await run).toBeInstanceOf(AttemptTimeoutError);
    expect([before, signals[0]?.reason]).toEqual([false, await run]);
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  });

  it('rejects with the reason of the caller, whatever the cancelled work throws', async () => {
    const clock = fakeClock();
    const caller = new AbortController();
    const run = withTimeout(
      clock,
      10,
      caller.signal,
      (own) =>
        new Promise((_, reject) => {
          own.addEventListener('abort', () => reject(new Error('cancelled')));
        }),
    ).catch((error: unknown) => error);

    caller.abort('gone');

    expect(await run).toBe('gone');
    expect(clock.timers).toBe(0);
  });
});
