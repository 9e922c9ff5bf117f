import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  linkAbort,
  rejectOnAbort,
  remainingMs,
  requireTime,
  startDeadline,
} from '../../../src/lib/core/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('linkAbort', () => {
  it('aborts with the reason of the parent that aborts first', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    using link = linkAbort(first.signal, second.signal);

    second.abort('the second has gone');
    first.abort('the first has gone');

    expect(link.signal.reason).toBe('the second has gone');
  });

  it('is born aborted under a parent that has aborted', () => {
    using link = linkAbort(AbortSignal.abort('too late'));

    expect([link.signal.aborted, link.signal.reason]).toEqual([true, 'too late']);
  });

  it('does not abort its parents', () => {
    const parent = new AbortController();
    using link = linkAbort(parent.signal);

    link.abort('enough');

    expect([link.signal.aborted, parent.signal.aborted]).toEqual([true, false]);
  });

  it('leaves no listener behind, and no longer follows, once disposed', () => {
    const parent = new AbortController();
    const link = linkAbort(parent.signal);

    link[Symbol.dispose]();
    const listeners = listenersOf(parent.signal);
    parent.abort('gone');

    expect([listeners, link.signal.aborted]).toEqual([0, false]);
  });
});

describe('startDeadline', () => {
  it('aborts with deadline_exceeded when the time is over, and not before', async () => {
    const clock = fakeClock();
    using deadline = startDeadline(clock, 1_000);

    await clock.advance(999);
    const before = deadline.signal.aborted;
    await clock.advance(1);

    expect(before).toBe(false);
    expect(deadline.signal.reason).toMatchObject({
      name: 'AppError',
      code: 'deadline_exceeded',
      status: 504,
    });
  });

  it('tells what is left, never less than nothing', async () => {
    const clock = fakeClock();
    using deadline = startDeadline(clock, 1_000);

    await clock.advance(400);
    const left = deadline.remainingMs();
    await clock.advance(5_000);

    expect([left, deadline.remainingMs()]).toEqual([600, 0]);
  });

  it('does not follow the wall clock', async () => {
    const clock = fakeClock();
    using deadline = startDeadline(clock, 1_000);

    clock.jump(-3_600_000);
    await clock.advance(400);

    expect(deadline.remainingMs()).toBe(600);
  });

  it('starts over when it is extended', async () => {
    const clock = fakeClock();
    using deadline = startDeadline(clock, 1_000);

    await clock.advance(900);
    deadline.extend(1_000);
    await clock.advance(999);
    const before = deadline.signal.aborted;
    await clock.advance(1);

    expect([before, deadline.signal.aborted]).toEqual([false, true]);
  });

  it('leaves no timer or listener behind once disposed, not even when it is extended afterwards', () => {
    const clock = fakeClock();
    const parent = new AbortController();
    const deadline = startDeadline(clock, 1_000, parent.signal);

    deadline[Symbol.dispose]();
    deadline.extend(1_000);

    expect([clock.timers, listenersOf(parent.signal)]).toEqual([0, 0]);
  });
});

describe('remainingMs', () => {
  it('is the shortest of a deadline, its parents and what is linked to them', async () => {
    const clock = fakeClock();
    using long = startDeadline(clock, 10_000);
    using short = startDeadline(clock, 1_000, long.signal);
    using inner = startDeadline(clock, 5_000, short.signal);
    using link = linkAbort(long.signal, inner.signal);

    await clock.advance(100);

    expect([long, short, inner, link].map(({ signal }) => remainingMs(signal))).toEqual([
      9_900, 900, 900, 900,
    ]);
  });

  it('is without end for a signal that stems from no deadline', () => {
    using link = linkAbort(new AbortController().signal);

    expect([remainingMs(new AbortController().signal), remainingMs(link.signal)]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });
});

describe('rejectOnAbort', () => {
  it('settles as the work does, and leaves no listener behind', async () => {
    const { signal } = new AbortController();

    const done = await rejectOnAbort(Promise.resolve('done'), signal);
    const failed = await rejectOnAbort(Promise.reject(new Error('broken')), signal).catch((error) => error);

    expect([done, failed.message]).toEqual(['done', 'broken']);
    expect(listenersOf(signal)).toBe(0);
  });

  it('rejects with the reason while the work goes on', async () => {
    const caller = new AbortController();
    const waiting = rejectOnAbort(new Promise(() => {}), caller.signal);

    caller.abort(new Error('the client has gone'));

    await expect(waiting).rejects.toThrow('the client has gone');
  });

  it('rejects at once under a signal that has aborted', async () => {
    const waiting = rejectOnAbort(new Promise(() => {}), AbortSignal.abort(new Error('too late')));

    await expect(waiting).rejects.toThrow('too late');
  });
});

describe('requireTime', () => {
  it('lets work go on while there is time, and ends it before there is none', async () => {
    const clock = fakeClock();
    using deadline = startDeadline(clock, 100_000);
    using work = linkAbort(deadline.signal);

    expect(() => requireTime(work.signal, 60_000)).not.toThrow();
    await clock.advance(50_000);
    expect(() => requireTime(work.signal, 60_000)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });

  it('throws why the work is to end, where it is', () => {
    expect(() => requireTime(AbortSignal.abort('the client has gone'), 0)).toThrow('the client has gone');
  });
});
