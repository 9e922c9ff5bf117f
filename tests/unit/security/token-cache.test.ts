import { describe, expect, it } from 'vitest';
import { createTokenCache, type Token } from '../../../src/lib/security/token-cache.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const minuteMs = 60_000;

interface Given {
  readonly lifeMs?: number;
  readonly refreshAfterMs?: number;
}

/** A cache in front of something that gives token 1, token 2, … as `answer` says. */
function openCache(answer: (number: number) => Given | Promise<Given> = () => ({})) {
  const clock = fakeClock();
  const asked: string[] = [];
  const failures: unknown[] = [];
  const getToken = createTokenCache({
    clock,
    onRefreshFailure: (error) => failures.push(error),
    async fetch(scope): Promise<Token> {
      const token = `token ${asked.push(scope)}`;
      const { lifeMs = 60 * minuteMs, refreshAfterMs } = await answer(asked.length);
      return {
        token,
        expiresOnTimestamp: clock.now() + lifeMs,
        ...(refreshAfterMs !== undefined && { refreshAfterTimestamp: clock.now() + refreshAfterMs }),
      };
    },
  });
  return { clock, asked, failures, getToken };
}

const down = () => Promise.reject(new Error('down'));

describe('a token', () => {
  it('is asked for once for each scope, by however many at the same time', async () => {
    const { asked, getToken } = openCache();

    const tokens = await Promise.all([getToken('storage'), getToken('storage'), getToken('database')]);

    expect(tokens).toEqual(['token 1', 'token 1', 'token 2']);
    expect(await getToken('storage')).toBe('token 1');
    expect(asked).toEqual(['storage', 'database']);
  });

  it('is renewed five minutes before its end, while the old one is still given out', async () => {
    const { clock, getToken } = openCache();

    const tokens = [await getToken('s')];
    await clock.advance(54 * minuteMs);
    tokens.push(await getToken('s'));
    await clock.advance(minuteMs);
    tokens.push(await getToken('s'));
    await clock.advance(0);
    tokens.push(await getToken('s'));

    expect(tokens).toEqual(['token 1', 'token 1', 'token 1', 'token 2']);
  });

  it('is renewed when whoever gave it said', async () => {
    const { clock, asked, getToken } = openCache(() => ({ refreshAfterMs: 30 * minuteMs }));

    await getToken('s');
    await clock.advance(30 * minuteMs);
    await getToken('s');

    expect(asked).toHaveLength(2);
  });

  it('is never given out in its last half minute', async () => {
    const { asked, getToken } = openCache(() => ({ lifeMs: 29_999 }));

    expect([await getToken('s'), await getToken('s')]).toEqual(['token 1', 'token 2']);
    expect(asked).toHaveLength(2);
  });

  it('ends in time although the wall clock was put back, and early when it was put forward', async () => {
    const { clock, getToken } = openCache();

    const tokens = [await getToken('s')];
    clock.jump(-10 * 60 * minuteMs);
    await clock.advance(60 * minuteMs);
    tokens.push(await getToken('s'));
    clock.jump(10 * 60 * minuteMs);
    tokens.push(await getToken('s'));

    expect(tokens).toEqual(['token 1', 'token 2', 'token 3']);
  });
});

describe('an outage of whoever gives tokens', () => {
  it('fails who needs one, and is not remembered', async () => {
    const { getToken } = openCache((number) => (number === 1 ? down() : {}));

    await expect(getToken('s')).rejects.toThrow('down');
    expect(await getToken('s')).toBe('token 2');
  });

  it('is not felt while the old token does, and is told at each try, one in half a minute', async () => {
    const { clock, asked, failures, getToken } = openCache((number) => (number === 1 ? {} : down()));

    await getToken('s');
    await clock.advance(55 * minuteMs);
    const tokens = [];
    for (let seconds = 0; seconds < 60; seconds += 10) {
      tokens.push(await getToken('s'));
      await clock.advance(10_000);
    }

    expect(new Set(tokens)).toEqual(new Set(['token 1']));
    expect(asked).toHaveLength(3);
    expect(failures).toEqual([new Error('down'), new Error('down')]);
  });

  it('is felt when the old token ends', async () => {
    const { clock, getToken } = openCache((number) => (number === 1 ? {} : down()));

    await getToken('s');
    await clock.advance(60 * minuteMs);

    await expect(getToken('s')).rejects.toThrow('down');
  });

  it('that says nothing is cut off, and the next caller asks anew', async () => {
    const { clock, asked, getToken } = openCache((number) => (number === 1 ? new Promise(() => {}) : {}));

    const waiting = Promise.all([getToken('s'), getToken('s')]).catch((error: unknown) => error);
    await clock.advance(20_000);

    expect(await waiting).toMatchObject({ name: 'IdentityError', code: 'identity_unavailable' });
    expect(await getToken('s')).toBe('token 2');
    expect(asked).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });
});
