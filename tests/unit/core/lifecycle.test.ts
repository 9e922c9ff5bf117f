import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createLifecycle } from '../../../src/lib/core/lifecycle.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function setUp() {
  const clock = fakeClock();
  const lines: string[] = [];
  const log = (message: string, fields: object) =>
    lines.push(`${message} ${JSON.stringify(fields, ['active', 'what'])}`);
  const lifecycle = createLifecycle({ clock, logger: { info: log, warning: log } });
  const done: string[] = [];
  const endsOf = async (stopping: Promise<void>) => {
    await stopping;
    return clock.monotonicMs();
  };
  return { clock, lines, lifecycle, done, endsOf };
}

const never = () => new Promise<never>(() => {});

describe('the life of a process', () => {
  it('goes on until it is told to stop', () => {
    const { lifecycle } = setUp();

    expect(lifecycle.isStopping).toBe(false);
    expect(() => lifecycle.throwIfStopping()).not.toThrow();
  });

  it('ends at once and without a word when nothing is going on', async () => {
    const { clock, lifecycle, lines, done } = setUp();
    lifecycle.onStop('one', async () => done.push('one'));

    await lifecycle.stop();

    expect(done).toEqual(['one']);
    expect([clock.monotonicMs(), clock.timers, lines]).toEqual([0, 0, []]);
  });

  it('refuses new work while it ends, and says when to come again', async () => {
    const { lifecycle } = setUp();

    await lifecycle.stop();

    expect(lifecycle.isStopping).toBe(true);
    expect(() => lifecycle.throwIfStopping()).toThrowError(
      expect.objectContaining({ name: 'AppError', code: 'unavailable', retryAfterSeconds: 5 }),
    );
  });

  it('waits for all that is going on, and closes after it', async () => {
    const { clock, lifecycle, done } = setUp();
    const [first, second] = [lifecycle.begin(), lifecycle.begin()];
    lifecycle.onStop('pool', async () => done.push('pool'));

    const stopping = lifecycle.stop();
    await clock.advance(1_000);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await clock.advance(1_000);
    const before = [...done];
    second[Symbol.dispose]();
    await stopping;

    expect(before).toEqual([]);
    expect(done).toEqual(['pool']);
    expect([first.signal.aborted, second.signal.aborted, clock.timers]).toEqual([false, false, 0]);
  });

  it('waits for what has begun while it ends', async () => {
    const { clock, lifecycle, done } = setUp();
    const first = lifecycle.begin();
    lifecycle.onStop('pool', async () => done.push('pool'));

    const stopping = lifecycle.stop();
    const second = lifecycle.begin();
    first[Symbol.dispose]();
    await clock.advance(100);
    const before = [...done];
    second[Symbol.dispose]();
    await stopping;

    expect([before, done]).toEqual([[], ['pool']]);
  });

  it('cuts off after 2.5 s what does not end, with a reason a client may be told', async () => {
    const { clock, lifecycle, lines, done } = setUp();
    const work = lifecycle.begin();
    lifecycle.onStop('pool', async () => done.push('pool'));

    const stopping = lifecycle.stop();
    await clock.advance(2_499);
    const early = work.signal.aborted;
    await clock.advance(1);
    const before = [...done];
    work[Symbol.dispose]();
    await stopping;

    expect([early, before, done]).toEqual([false, [], ['pool']]);
    expect(work.signal.reason).toMatchObject({ name: 'AppError', code: 'unavailable', retryAfterSeconds: 5 });
    expect(lines).toEqual([
      'the process stops when what is going on has ended {"active":1}',
      'the process stops and cuts off what is still going on {"active":1}',
    ]);
  });

  it('closes half a second later, also when work does not heed its signal', async () => {
    const { clock, lifecycle, lines, endsOf } = setUp();
    lifecycle.begin();

    const ended = endsOf(lifecycle.stop());
    await clock.advance(10_000);

    expect(await ended).toBe(3_000);
    expect(lines.at(-1)).toBe('some work did not end when it was cut off {"active":1}');
  });

  it('stops once, however often it is told to', async () => {
    const { lifecycle, done } = setUp();
    lifecycle.onStop('pool', async () => done.push('pool'));

    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();

    expect(done).toEqual(['pool']);
  });
});

describe('closing', () => {
  it('is done one after the other, in the order of registration', async () => {
    const { clock, lifecycle, done } = setUp();
    lifecycle.onStop('slow', async () => {
      await new Promise<void>((resolve) => clock.after(1_000, resolve));
      done.push('slow');
    });
    lifecycle.onStop('quick', async () => done.push('quick'));

    const stopping = lifecycle.stop();
    await clock.advance(1_000);
    await stopping;

    expect(done).toEqual(['slow', 'quick']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['fails', () => Promise.reject(new Error('broken'))],
    ['hangs', never],
  ])('goes on when one %s, and says which', async (_, broken) => {
    const { clock, lifecycle, lines, done } = setUp();
    lifecycle.onStop('exporter', broken);
    lifecycle.onStop('pool', async () => done.push('pool'));

    const stopping = lifecycle.stop();
    await clock.advance(10_000);
    await stopping;

    expect(done).toEqual(['pool']);
    expect(lines).toEqual(['something could not be closed in order {"what":"exporter"}']);
    expect(clock.timers).toBe(0);
  });

  it('goes on when one hangs in a process that nothing else keeps alive', async () => {
    const room = new URL('../../../src/lib/core/', import.meta.url);
    const script = `
      import { createLifecycle } from '${room}lifecycle.ts';
      import { systemClock } from '${room}clock.ts';
      const logger = { info() {}, warning() {} };
      const lifecycle = createLifecycle({ clock: systemClock, logger });
      lifecycle.onStop('exporter', () => new Promise(() => {}));
      lifecycle.onStop('pool', async () => console.log('pool'));
      await lifecycle.stop();
    `;

    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { timeout: 10_000 },
    );

    expect(stdout).toBe('pool\n');
  });

  it('takes no longer than the host waits, however much hangs', async () => {
    const { clock, lifecycle, endsOf } = setUp();
    lifecycle.begin();
    const aborted: number[] = [];
    for (const name of ['one', 'two', 'three']) {
      lifecycle.onStop(name, (signal) => {
        signal.addEventListener('abort', () => aborted.push(clock.monotonicMs()));
        return never();
      });
    }

    const ended = endsOf(lifecycle.stop());
    await clock.advance(10_000);

    expect(await ended).toBe(4_500);
    expect(aborted).toEqual([3_500, 4_000, 4_500]);
  });

  it('gives the time that one leaves over to the next', async () => {
    const { clock, lifecycle, endsOf } = setUp();
    lifecycle.onStop('quick', async () => {});
    lifecycle.onStop('slow', never);

    const ended = endsOf(lifecycle.stop());
    await clock.advance(10_000);

    expect(await ended).toBe(4_500);
  });
});
