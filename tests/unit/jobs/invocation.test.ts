import { describe, expect, it } from 'vitest';
import { createLifecycle } from '../../../src/lib/core/lifecycle.ts';
import { runInvocation } from '../../../src/lib/jobs/invocation.ts';
import { currentContext } from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function setUp() {
  const clock = fakeClock();
  const lines: string[] = [];
  const log = (message: string) => void lines.push(message);
  const logger = { debug: log, info: log, warning: log, error: log, child: () => logger };
  const lifecycle = createLifecycle({ clock, logger });
  const run = (work: (signal: AbortSignal) => Promise<void>, correlationId?: string) =>
    runInvocation(
      { clock, logger, lifecycle },
      {
        invocationId: 'i',
        functionName: 'jobs',
        writeLog: () => {},
        ...(correlationId !== undefined && { correlationId }),
      },
      work,
    );
  return { clock, lines, lifecycle, run };
}

/** Work that heeds its signal and nothing else. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('a background invocation', () => {
  it('runs in the context of the request that caused it, and leaves nothing behind', async () => {
    const { clock, lines, run } = setUp();
    const seen: unknown[] = [];

    await run(async () => void seen.push(currentContext()?.correlationId), 'caused-by-this');

    expect(seen).toEqual(['caused-by-this']);
    expect([lines, clock.timers]).toEqual([['function succeeded'], 0]);
  });

  it('passes an error on, so that the platform counts it as failed', async () => {
    const { lines, run } = setUp();

    await expect(run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(lines).toEqual(['function failed']);
  });

  it('is told to end half a minute before the platform would end the process', async () => {
    const { clock, run } = setUp();

    const running = expect(run(untilAborted)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    await clock.advance(29.5 * 60_000);

    await running;
  });

  it('holds up the end of the process until it has ended', async () => {
    const { clock, lifecycle, run } = setUp();
    const work = Promise.withResolvers<void>();
    const order: string[] = [];
    lifecycle.onStop('pool', async () => void order.push('closed'));

    const running = run(() => work.promise.then(() => void order.push('done')));
    const stopping = lifecycle.stop();
    await clock.advance(1_000);
    work.resolve();
    await Promise.all([running, stopping]);

    expect(order).toEqual(['done', 'closed']);
  });

  it('is cut off when the process can wait no longer', async () => {
    const { clock, lifecycle, run } = setUp();

    const running = expect(run(untilAborted)).rejects.toMatchObject({ code: 'unavailable' });
    const stopping = lifecycle.stop();
    await clock.advance(2_500);

    await Promise.all([running, stopping]);
  });

  it('does not begin while the process stops: its message comes again elsewhere', async () => {
    const { lifecycle, run } = setUp();
    await lifecycle.stop();

    const begun = run(async () => expect.unreachable());

    await expect(begun).rejects.toMatchObject({ code: 'unavailable' });
  });
});
