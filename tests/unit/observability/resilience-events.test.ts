import { describe, expect, it } from 'vitest';
import { createLogger, createMetrics } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { observeResilience } from '../../../src/observe-resilience.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { azureError, networkError } from '../resilience/failures.ts';

/** Policies that try once, with their log and their metrics. */
function setUp() {
  const clock = fakeClock();
  const lines: string[] = [];
  const metrics = createMetrics('test');
  const logger = createLogger({ clock, level: 'debug', write: (line) => lines.push(line) });
  const onEvent = observeResilience(logger, metrics);
  const resilience = createResilience({ clock, settings: { retries: 0, breakerThreshold: 2 }, onEvent });
  const run = (fn: () => Promise<unknown>, dependency: 'blob' | `webhook:${string}` = 'blob') =>
    resilience.run(dependency, 'read', fn, { signal: new AbortController().signal }).catch(() => {});
  const fail = (error: unknown, dependency?: `webhook:${string}`) =>
    run(() => Promise.reject(error), dependency);
  return { fail, lines: () => lines.map((line) => JSON.parse(line)), metrics, onEvent, run };
}

describe('the log of the policies', () => {
  it('is silent of success', async () => {
    const { run, lines } = setUp();

    await run(async () => 'done');

    expect(lines()).toEqual([]);
  });

  it.each([
    [404, 'BlobNotFound'],
    [409, 'BlobAlreadyExists'],
  ])('warns of %i, which is part of life, without a stack', async (status, code) => {
    const { fail, lines } = setUp();

    await fail(azureError(status, code));

    expect(lines()).toEqual([
      expect.objectContaining({ level: 'warning', status, code, operation: 'read', errorType: 'RestError' }),
    ]);
    expect(lines()[0]).not.toHaveProperty('error');
  });

  it('calls a request without an answer an error, with its cause', async () => {
    const { fail, lines } = setUp();
    const error = Object.assign(
      new Error('the request could not be sent', { cause: networkError('ECONNRESET') }),
      {
        name: 'RestError',
        code: 'REQUEST_SEND_ERROR',
      },
    );

    await fail(error);

    expect(lines()).toMatchObject([
      {
        level: 'error',
        code: 'REQUEST_SEND_ERROR',
        error: { message: 'the request could not be sent', cause: { code: 'ECONNRESET' } },
      },
    ]);
  });

  it('calls all other answers errors, with their type', async () => {
    const { fail, lines } = setUp();

    await fail(azureError(403, 'AuthorizationFailure'));

    expect(lines()).toMatchObject([
      {
        level: 'error',
        status: 403,
        code: 'AuthorizationFailure',
        errorType: 'RestError',
        error: { name: 'RestError' },
      },
    ]);
  });

  it.each(['ContainerNotFound', 'TableNotFound', 'QueueNotFound'])(
    'does not make much of %s, which is then made',
    async (code) => {
      const { fail, lines } = setUp();

      await fail(azureError(404, code));

      expect(lines()).toMatchObject([{ level: 'debug', code }]);
    },
  );

  it('names the host of a webhook, whose series is one for all hosts', async () => {
    const { fail, lines, metrics } = setUp();

    for (const host of ['a', 'a', 'a', 'b', 'b', 'b'])
      await fail(networkError('ECONNREFUSED'), `webhook:${host}.example`);

    const rejected = lines().filter(({ message }) => message === 'a call was not let through');
    expect(rejected.map(({ dependency }) => dependency)).toEqual(['webhook:a.example', 'webhook:b.example']);
    const text = await metrics.render();
    expect(text).toMatch(/resilience_rejections_total\{[^}]*dependency="webhook",by="breaker"[^}]*\} 2/);
    expect(text).toMatch(
      /resilience_breaker_transitions_total\{[^}]*dependency="webhook",state="open"[^}]*\} 2/,
    );
  });

  it('tells who has set a breaker, and from what to what', async () => {
    const { lines, metrics, onEvent } = setUp();

    onEvent({ type: 'breaker_mode', dependency: 'blob', by: 'key:1', before: 'auto', after: 'open' });

    expect(lines()).toMatchObject([
      { level: 'warning', dependency: 'blob', by: 'key:1', before: 'auto', after: 'open' },
    ]);
    expect(await metrics.render()).toMatch(
      /resilience_breaker_mode_changes_total\{[^}]*dependency="blob",mode="open"[^}]*\} 1/,
    );
  });
});
