import type { UserDelegationKey } from '@azure/storage-blob';
import { describe, expect, it } from 'vitest';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createCalls } from '../../../src/lib/storage/calls.ts';
import { createDelegationKeys } from '../../../src/lib/storage/delegation-key.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { azureError } from '../resilience/failures.ts';

const { signal } = new AbortController();
const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

type Period = readonly [startsOn: Date, expiresOn: Date];

/** A service that gives keys as `answer` says; without it, the key that is asked for, at once. */
function openKeys(answer: (key: UserDelegationKey, number: number) => unknown = (key) => key) {
  const clock = fakeClock({ random: () => 0 });
  const asked: Period[] = [];
  const call = createCalls({
    clock,
    resilience: createResilience({ clock }),
    dependency: 'blob',
    name: 'images',
    create: async () => {},
  });
  const keyFor = createDelegationKeys({
    call,
    clock,
    async fetch(startsOn, expiresOn) {
      asked.push([startsOn, expiresOn]);
      const key = {
        signedObjectId: 'object',
        signedTenantId: 'tenant',
        signedStartsOn: startsOn,
        signedExpiresOn: expiresOn,
        signedService: 'b',
        signedVersion: '2026-06-06',
        value: `key ${asked.length}`,
      };
      return (await answer(key, asked.length)) as UserDelegationKey;
    },
  });
  const valueFor = async (lifeMs: number) => (await keyFor(clock.now() + lifeMs, signal)).value;
  return { clock, asked, keyFor, valueFor };
}

describe('the key that signs links of an identity', () => {
  it('is asked for seven days, of which some minutes have passed', async () => {
    const { clock, asked, valueFor } = openKeys();

    await valueFor(hourMs);

    const now = clock.now();
    expect(asked).toEqual([[new Date(now - 15 * 60_000), new Date(now - 15 * 60_000 + 7 * dayMs)]]);
  });

  it('signs all links that it outlives', async () => {
    const { clock, asked, valueFor } = openKeys();

    const values = [await valueFor(6 * dayMs), await valueFor(60_000)];
    await clock.advance(5 * dayMs);
    values.push(await valueFor(dayMs));

    expect(values).toEqual(['key 1', 'key 1', 'key 1']);
    expect(asked).toHaveLength(1);
  });

  it('is replaced when a link would outlive it', async () => {
    const { clock, valueFor } = openKeys();

    const values = [await valueFor(dayMs)];
    await clock.advance(dayMs);
    values.push(await valueFor(6 * dayMs), await valueFor(dayMs));

    expect(values).toEqual(['key 1', 'key 2', 'key 2']);
  });

  it('is asked for once by all who need it at the same time', async () => {
    const { asked, valueFor } = openKeys();

    const values = await Promise.all([valueFor(dayMs), valueFor(6 * dayMs), valueFor(60_000)]);

    expect(values).toEqual(['key 1', 'key 1', 'key 1']);
    expect(asked).toHaveLength(1);
  });

  it('is not used after its end, also when the wall clock was put back', async () => {
    const { clock, valueFor } = openKeys();

    const values = [await valueFor(dayMs)];
    await clock.advance(6 * dayMs);
    clock.jump(-5 * dayMs);
    values.push(await valueFor(dayMs));

    expect(values).toEqual(['key 1', 'key 2']);
  });

  it('is taken for old when the wall clock was put forward', async () => {
    const { clock, valueFor } = openKeys();

    const values = [await valueFor(dayMs)];
    clock.jump(30 * dayMs);
    values.push(await valueFor(dayMs));

    expect(values).toEqual(['key 1', 'key 2']);
  });

  it('is asked for again for a link that outlives the one others are waiting for', async () => {
    const answer = Promise.withResolvers<void>();
    const { clock, asked, valueFor } = openKeys((key, number) =>
      number === 1 ? answer.promise.then(() => key) : key,
    );
    const longestMs = 7 * dayMs - 15 * 60_000;

    const first = valueFor(dayMs);
    await clock.advance(5_000);
    const second = valueFor(longestMs);
    answer.resolve();

    expect([await first, await second]).toEqual(['key 1', 'key 2']);
    expect(asked).toHaveLength(2);
  });

  it('as short as the service has made it is refused for a link that would outlive it', async () => {
    const { valueFor } = openKeys((key) => ({
      ...key,
      signedExpiresOn: new Date(key.signedStartsOn.getTime() + 2 * hourMs),
    }));

    await expect(valueFor(6 * dayMs)).rejects.toMatchObject({ name: 'AppError', code: 'upstream' });
    expect(await valueFor(hourMs)).toBe('key 2');
  });

  it('as short as the service has made it signs no link that outlives it', async () => {
    const { clock, asked, valueFor } = openKeys((key) => ({
      ...key,
      signedExpiresOn: new Date(key.signedStartsOn.getTime() + 2 * hourMs),
    }));

    await valueFor(hourMs);
    await clock.advance(hourMs);
    await valueFor(hourMs);

    expect(asked).toHaveLength(2);
  });
});

describe('a key that does not come', () => {
  it('keeps a caller who gives up from nothing, and the others from nothing either', async () => {
    const answer = Promise.withResolvers<void>();
    const { clock, asked, keyFor, valueFor } = openKeys((key) => answer.promise.then(() => key));
    const impatient = new AbortController();

    const first = keyFor(clock.now() + dayMs, impatient.signal);
    const second = valueFor(dayMs);
    impatient.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    answer.resolve();

    expect(await second).toBe('key 1');
    expect(asked).toHaveLength(1);
  });

  it('is asked for again by the policy, and then by the next caller', async () => {
    const { clock, asked, valueFor } = openKeys((key, number) => {
      if (number <= 4) throw azureError(503, 'ServerBusy');
      return key;
    });
    const attempt = () => valueFor(dayMs).catch((error: unknown) => error);

    const failing = attempt();
    await clock.advance(10_000);

    expect(await failing).toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect(await attempt()).toBe('key 5');
    expect(asked).toHaveLength(5);
  });

  it('because the identity may not have it, is a refusal and no outage', async () => {
    const { asked, valueFor } = openKeys(() => {
      throw azureError(403, 'AuthorizationPermissionMismatch');
    });

    await expect(valueFor(dayMs)).rejects.toMatchObject({ name: 'AppError', code: 'upstream' });
    expect(asked).toHaveLength(1);
  });

  it('because the service is silent, is given up, and asked for anew by the next caller', async () => {
    const { clock, asked, valueFor } = openKeys((key, number) => (number <= 4 ? new Promise(() => {}) : key));

    const waiting = valueFor(dayMs).catch((error: unknown) => error);
    await clock.advance(30_000);

    expect(await waiting).toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect(asked).toHaveLength(4);
    expect(await valueFor(dayMs)).toBe(`key ${asked.length}`);
    expect(clock.timers).toBe(0);
  });
});
