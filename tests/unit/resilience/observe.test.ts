import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { toAppError } from '../../../src/lib/database/errors.ts';
import { createLogger, createMetrics } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { observeResilience, tellOfCalls } from '../../../src/observe-resilience.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { azureError, sqlError } from './failures.ts';

function setUp() {
  const clock = fakeClock();
  const lines: string[] = [];
  const logger = createLogger({ clock, level: 'debug', write: (line) => lines.push(line) });
  const onEvent = observeResilience(logger, createMetrics('i1'));
  const settings = { retries: 1, breakerThreshold: 2, bulkheadSize: 1, bulkheadQueue: 0 };
  const resilience = tellOfCalls(createResilience({ clock, onEvent, settings }), clock, logger);
  const { signal } = new AbortController();
  const entries = (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line));
  return { clock, logger, resilience, signal, entries };
}

describe('a call to a dependency', () => {
  it('is told with its time and its outcome', async () => {
    const { clock, resilience, signal, entries } = setUp();

    const result = await resilience.run(
      'blob',
      'stage block',
      async () => {
        await clock.advance(120);
        return 'stored';
      },
      { signal },
    );

    expect(result).toBe('stored');
    expect(entries()).toEqual([
      expect.objectContaining({
        level: 'debug',
        module: 'resilience',
        message: 'a call has ended',
        dependency: 'blob',
        operation: 'stage block',
        duration_ms: 120,
        outcome: 'ok',
      }),
    ]);
  });

  it.each<[string, unknown, string]>([
    ['the code of a service', azureError(404, 'BlobNotFound'), 'BlobNotFound'],
    ['the code of a problem', new AppError('conflict', 'Taken'), 'conflict'],
    ['the class of another error', new TypeError('x'), 'TypeError'],
    ['the type of anything else', 'text', 'string'],
  ])('that fails is told with %s, and fails with its own error', async (_, error, outcome) => {
    const { resilience, signal, entries } = setUp();

    const call = resilience.run('blob', 'get', () => Promise.reject(error), { signal });

    await expect(call).rejects.toBe(error);
    expect(entries().at(-1)).toMatchObject({ level: 'debug', message: 'a call has ended', outcome });
  });

  it('that makes its container first is no alarm', async () => {
    const { resilience, signal, entries } = setUp();
    const missing = () => Promise.reject(azureError(404, 'ContainerNotFound'));

    await expect(resilience.run('blob', 'put', missing, { signal })).rejects.toThrow();

    expect(entries().map(({ level }) => level)).toEqual(['debug', 'debug']);
  });

  it('that is missing something is a warning without a stack, one that is refused is an error with it', async () => {
    const { resilience, signal, entries } = setUp();

    for (const error of [azureError(404, 'BlobNotFound'), azureError(403, 'AuthorizationFailure')])
      await resilience.run('blob', 'get', () => Promise.reject(error), { signal }).catch(() => undefined);

    const told = entries().filter(({ message }) => message === 'a call failed');
    expect(told).toMatchObject([
      { level: 'warning', code: 'BlobNotFound', status: 404 },
      { level: 'error', code: 'AuthorizationFailure', error: { stack: expect.any(String) } },
    ]);
    expect(told[0]).not.toHaveProperty('error');
  });

  it('that is tried again, given up and then kept back is told at each step', async () => {
    const { clock, resilience, signal, entries } = setUp();
    const busy = () => Promise.reject(azureError(503, 'ServerBusy'));

    const first = resilience.run('blob', 'get', busy, { signal }).catch(() => undefined);
    await clock.advance(10_000);
    await first;
    await resilience.run('blob', 'get', busy, { signal }).catch(() => undefined);

    expect(entries().map(({ level, message }) => [level, message])).toEqual([
      ['warning', 'a call is tried again'],
      ['warning', 'a circuit breaker changed'],
      ['error', 'a call failed'],
      ['debug', 'a call has ended'],
      ['warning', 'a call was not let through'],
      ['debug', 'a call has ended'],
    ]);
  });
});

describe('the cause of a failure', () => {
  it('is kept from the driver through policies and translation to the line', async () => {
    const { clock, logger, resilience, signal, entries } = setUp();
    const driver = Object.assign(sqlError('53300'), { cause: new Error('socket hang up') });

    const call = resilience
      .run('postgres', 'find file', () => Promise.reject(driver), { signal })
      .catch((error: unknown) => toAppError(error));
    await clock.advance(10_000);
    logger.error('request failed', { error: await call });

    expect(entries().at(-1)).toMatchObject({
      error: {
        name: 'AppError',
        code: 'unavailable',
        cause: { code: '53300', message: 'SQLSTATE 53300', cause: { message: 'socket hang up' } },
      },
    });
  });

  it('is kept where no policy steps in', async () => {
    const { logger, resilience, signal, entries } = setUp();
    const driver = sqlError('23505');

    const error = await resilience
      .run('postgres', 'add', () => Promise.reject(driver), { signal })
      .catch((thrown: unknown) => toAppError(thrown));
    logger.error('request failed', { error });

    expect(entries().at(-1)).toMatchObject({ error: { code: 'conflict', cause: { code: '23505' } } });
  });
});
