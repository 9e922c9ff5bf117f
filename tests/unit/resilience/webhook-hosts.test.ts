import { describe, expect, it } from 'vitest';
import { judgeHttpError } from '../../../src/lib/resilience/http-errors.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { AttemptTimeoutError } from '../../../src/lib/resilience/timeout.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { networkError } from './failures.ts';
import { failing, failingForEver, setUp, signal } from './set-up.ts';

/** An answer of a receiver, as a client of ours throws it. */
const answer = (status: number) => Object.assign(new Error(`status ${status}`), { status });

describe('hosts of webhooks', () => {
  it('have a breaker each, known from the first call on', async () => {
    const { resilience } = setUp({ retries: 0, breakerThreshold: 1 });
    const down = failingForEver(answer(500));

    const before = resilience.states().filter(({ name }) => name.startsWith('webhook:'));
    const refused = await resilience
      .run('webhook:a.example', 'send', down.run, { signal })
      .catch((error: unknown) => error);
    const other = await resilience.run('webhook:b.example', 'send', failing().run, { signal });

    expect(before).toEqual([]);
    expect(refused).toMatchObject({
      code: 'unavailable',
      message: 'The receiver of the notification is not available at the moment',
    });
    expect(other).toBe('done');
    expect(
      resilience
        .states()
        .filter(({ name }) => name.startsWith('webhook:'))
        .map(({ name, state }) => [name, state]),
    ).toEqual([
      ['webhook:a.example', 'open'],
      ['webhook:b.example', 'closed'],
    ]);
  });

  it('are remembered up to two hundred, by their last call', async () => {
    const { resilience } = setUp();
    const call = (host: string) => resilience.run(`webhook:${host}`, 'send', failing().run, { signal });
    for (let i = 0; i < 200; i++) await call(`h${i}.example`);

    await call('h0.example');
    await call('one-more.example');

    const names = resilience.states().map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('webhook:'))).toHaveLength(200);
    expect(names).toContain('webhook:h0.example');
    expect(names).not.toContain('webhook:h1.example');
  });

  it('each take as many calls at a time as is set for all of them', async () => {
    const resilience = createResilience({
      clock: fakeClock(),
      settings: { bulkheadSize: 1, bulkheadQueue: 0 },
      bulkheadSizes: { webhook: 2 },
    });
    const { promise: end, resolve } = Promise.withResolvers<string>();
    const call = (host: string) =>
      resilience.run(`webhook:${host}`, 'send', () => end, { signal }).catch((error: unknown) => error);

    const calls = ['a.example', 'a.example', 'a.example', 'b.example'].map(call);
    resolve('done');

    expect(await Promise.all(calls)).toEqual([
      'done',
      'done',
      expect.objectContaining({ code: 'unavailable' }),
      'done',
    ]);
  });

  it('are not made by the news of a recovery', () => {
    const { resilience } = setUp();
    const before = resilience.states();

    resilience.noteRecovery('webhook:never-called.example');

    expect(resilience.states()).toEqual(before);
    expect(before.length).toBeGreaterThan(1);
  });
});

describe('the knowledge of HTTP errors', () => {
  it('reads the status in either field', () => {
    expect(judgeHttpError(answer(503))).toBe('refused');
    expect(judgeHttpError({ statusCode: 503 })).toBe('refused');
  });

  it('finds the network code of an error of fetch one level deeper', () => {
    const failed = new TypeError('fetch failed', { cause: networkError('UND_ERR_CONNECT_TIMEOUT') });

    expect(judgeHttpError(failed)).toBe('refused');
    expect(judgeHttpError(networkError('UND_ERR_SOCKET'))).toBe('lost');
    expect(judgeHttpError(networkError('answer_malformed'))).toBe('broken');
  });

  it('takes an AbortError that nobody asked for, and its own time limit, for a lost answer', () => {
    expect(judgeHttpError(new DOMException('This operation was aborted', 'AbortError'))).toBe('lost');
    expect(judgeHttpError(new AttemptTimeoutError(10))).toBe('lost');
  });

  it.each([[new TypeError('a bug')], ['text'], [undefined], [null], [{}]])(
    'takes what is no error of the host for foreign: %s',
    (error) => {
      expect(judgeHttpError(error)).toBe('foreign');
    },
  );
});
