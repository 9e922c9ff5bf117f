import { describe, expect, it } from 'vitest';
import { createLifecycle } from '../../../src/lib/core/index.ts';
import { runInvocation } from '../../../src/lib/jobs/index.ts';
import { createLogger, type Logger, type LogLevel } from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/** Runs background work that may log; gives what the platform was handed. */
function setUp() {
  const clock = fakeClock();
  const own: string[] = [];
  const platform: [LogLevel, Record<string, unknown>][] = [];
  const logger = createLogger({ clock, level: 'info', write: (line) => own.push(line) });
  const run = (work: (logger: Logger) => Promise<void>, correlationId?: string) =>
    runInvocation(
      { clock, logger, lifecycle: createLifecycle({ clock, logger }) },
      {
        invocationId: 'request-1',
        functionName: 'maintenance',
        writeLog: (level, line) => platform.push([level, JSON.parse(line)]),
        ...(correlationId !== undefined && { correlationId }),
      },
      () => work(logger),
    );
  return { clock, own, platform, run };
}

describe('background work', () => {
  it('says that it has succeeded, and how long it took, and nothing of its details', async () => {
    const { clock, own, platform, run } = setUp();

    await run(async (logger) => {
      logger.debug('a detail');
      await clock.advance(2_000);
    }, 'correlation-1');

    expect(own).toEqual([]);
    expect(platform).toEqual([
      [
        'info',
        expect.objectContaining({
          message: 'function succeeded',
          function: 'maintenance',
          request_id: 'request-1',
          correlation_id: 'correlation-1',
          duration_ms: 2_000,
        }),
      ],
    ]);
  });

  it('that fails says why after its details, and fails the invocation', async () => {
    const { platform, run } = setUp();
    const error = new Error('the disk is full');

    const outcome = run(async (logger) => {
      logger.debug('a detail');
      throw error;
    });

    await expect(outcome).rejects.toBe(error);
    expect(platform).toMatchObject([
      ['debug', { message: 'a detail' }],
      ['error', { message: 'function failed', error: { message: 'the disk is full' } }],
    ]);
  });

  it('writes by itself once it has ended', async () => {
    const { own, platform, run } = setUp();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    let straggler: Promise<void> | undefined;

    await run(async (logger) => {
      straggler = ended.then(() => logger.info('afterwards'));
    });
    end();
    await straggler;

    expect(platform).toHaveLength(1);
    expect(own.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'afterwards', function: 'maintenance', request_id: 'request-1' },
    ]);
  });
});
