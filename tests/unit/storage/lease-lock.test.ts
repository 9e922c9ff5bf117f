import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { createLeaseLock, type Leases } from '../../../src/lib/storage/lease-lock.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryLeases } from '../../support/memory/memory-leases.ts';

const { signal } = new AbortController();
const idle = async () => {};
const leaseMs = 60_000;
const outage = new AppError('unavailable', 'File storage is not available at the moment');

/**
 * A lock whose holder works until it is told to end. `change` lets the service behave otherwise for the holder; `rival`
 * asks the service as it is.
 */
async function hold(change: (leases: Leases) => Partial<Leases> = () => ({})) {
  const clock = fakeClock();
  const leases = memoryLeases(clock, leaseMs);
  const asked = { renewals: 0 };
  const changed = { ...leases, ...change(leases) };
  const counting: Leases = {
    ...changed,
    renew(...args) {
      asked.renewals++;
      return changed.renew(...args);
    },
  };
  const lock = createLeaseLock({ leases: counting, clock });
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<AbortSignal>();
  const lost: { atMs?: number } = {};
  const caller = new AbortController();
  const outcome = lock
    .withLease(
      'a',
      (held) => {
        held.addEventListener('abort', () => {
          lost.atMs = clock.monotonicMs();
        });
        begun.resolve(held);
        return ended.promise;
      },
      { signal: caller.signal },
    )
    .catch((error: unknown) => error);
  const held = await begun.promise;
  return {
    clock,
    asked,
    lost,
    held,
    /** The caller wants it to end. */
    abort: () => caller.abort(new Error('enough')),
    /** Ends the work well, and tells what came of it. */
    end() {
      ended.resolve();
      return outcome;
    },
    /** Somebody else would get the lock now. */
    isFree: async () => (await leases.acquire('a', 'rival', signal)) !== undefined,
  };
}

const never = () => new Promise<never>(() => {});

describe('a lock that is kept', () => {
  it('is kept as long as the work takes, and asks no more than twice a minute', async () => {
    const { clock, asked, held, isFree, end } = await hold();

    for (let minute = 0; minute < 60; minute++) {
      await clock.advance(60_000);
      expect(await isFree()).toBe(false);
    }

    expect(held.aborted).toBe(false);
    expect(asked.renewals).toBeGreaterThan(60);
    expect(asked.renewals).toBeLessThanOrEqual(131);
    expect(await end()).toBe(true);
    expect(await isFree()).toBe(true);
  });

  it('is kept also while the work, told to end, needs its time', async () => {
    const { clock, held, abort, isFree, end } = await hold();

    abort();
    await clock.advance(3 * leaseMs);

    expect([held.aborted, await isFree()]).toEqual([true, false]);
    expect(await end()).toEqual(new Error('enough'));
    expect(await isFree()).toBe(true);
  });

  it('bears an outage that ends in time', async () => {
    let isDown = false;
    const { clock, held, isFree, end } = await hold(({ renew }) => ({
      renew: (...args) => (isDown ? Promise.reject(outage) : renew(...args)),
    }));

    for (let round = 0; round < 5; round++) {
      isDown = true;
      await clock.advance(26_000);
      isDown = false;
      await clock.advance(60_000);
    }

    expect(held.aborted).toBe(false);
    expect(await isFree()).toBe(false);
    expect(await end()).toBe(true);
  });

  it('leaves neither timer nor request behind', async () => {
    const { clock, asked, end } = await hold();
    await clock.advance(40_000);
    const renewalsBefore = asked.renewals;

    await end();
    await clock.advance(600_000);

    expect(clock.timers).toBe(0);
    expect(asked.renewals).toBe(renewalsBefore);
  });

  it('gives up a renewal that is under way when the work ends', async () => {
    let given: AbortSignal | undefined;
    const { clock, end } = await hold(() => ({
      renew: (_name, _id, within) => {
        given = within;
        return never();
      },
    }));
    await clock.advance(30_000);

    expect(await end()).toBe(true);
    expect(given?.aborted).toBe(true);
    expect(clock.timers).toBe(0);
  });
});

describe('a lock that cannot be kept', () => {
  it.each<[string, () => Promise<never>]>([
    ['refuses', () => Promise.reject(outage)],
    ['is silent', never],
  ])('is lost five seconds before another can have it when the service %s', async (_, renew) => {
    const { clock, lost, held, isFree, end } = await hold(() => ({ renew }));

    await clock.advance(leaseMs - 1);
    const free = [await isFree()];
    await clock.advance(1);
    free.push(await isFree());

    expect(free).toEqual([false, true]);
    expect(lost.atMs).toBe(leaseMs - 5_000);
    expect(held.reason).toMatchObject({ name: 'AppError', code: 'unavailable', cause: expect.anything() });
    expect(await end()).toBe(held.reason);
  });

  it('is asked for no more than once a second while the service refuses', async () => {
    const { clock, asked } = await hold(() => ({ renew: () => Promise.reject(outage) }));

    await clock.advance(leaseMs);

    expect(asked.renewals).toBeGreaterThan(5);
    expect(asked.renewals).toBeLessThan(15);
  });

  it('is lost as soon as the service says that it has gone', async () => {
    const { clock, lost, held, end } = await hold(() => ({ renew: async () => undefined }));

    await clock.advance(leaseMs);

    expect(lost.atMs).toBeLessThan(leaseMs / 2);
    expect(held.reason).toMatchObject({ name: 'AppError', code: 'conflict' });
    expect(await end()).toBe(held.reason);
  });

  it('counts from before a renewal was asked for, however late its answer comes', async () => {
    const answer = Promise.withResolvers<void>();
    const { clock, lost, isFree } = await hold(({ renew }) => {
      let renewals = 0;
      return {
        async renew(...args) {
          if (++renewals > 1) return never();
          const life = await renew(...args);
          await answer.promise;
          return life;
        },
      };
    });

    await clock.advance(50_000);
    answer.resolve();
    await clock.advance(37_499);

    expect([lost.atMs, await isFree()]).toEqual([27_500 + leaseMs - 5_000, false]);
  });
});

describe('a process that', () => {
  it('stood still for too long loses the lock at once, before it asks', async () => {
    const { clock, asked, lost, held } = await hold();

    await clock.freeze(leaseMs);

    expect(held.reason).toMatchObject({ code: 'unavailable' });
    expect(lost.atMs).toBe(leaseMs);
    expect(asked.renewals).toBe(0);
  });

  it('stood still for too long and ends before it is told has not been alone', async () => {
    const { clock, end } = await hold();

    const frozen = clock.freeze(leaseMs);
    const outcome = end();
    await frozen;

    expect(await outcome).toMatchObject({ name: 'AppError', code: 'unavailable' });
  });

  it('slept, so that only the wall clock went on, loses the lock within a second', async () => {
    const { clock, asked, held } = await hold();

    clock.jump(leaseMs);
    await clock.advance(1_000);

    expect(held.reason).toMatchObject({ code: 'unavailable' });
    expect(asked.renewals).toBe(0);
  });

  it('slept, and ended its work before it looked, was not alone', async () => {
    const { clock, end } = await hold();

    clock.jump(leaseMs);

    expect(await end()).toMatchObject({ name: 'AppError', code: 'unavailable' });
  });

  it('slept when it was given the lock does not begin', async () => {
    const clock = fakeClock();
    const leases = memoryLeases(clock, leaseMs);
    const late: Leases = {
      ...leases,
      async acquire(...args) {
        const life = await leases.acquire(...args);
        clock.jump(leaseMs);
        return life;
      },
    };
    let begun = false;
    const work = async () => {
      begun = true;
    };

    const outcome = createLeaseLock({ leases: late, clock }).withLease('a', work, { signal });

    await expect(outcome).rejects.toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect([begun, clock.timers]).toEqual([false, 0]);
    expect(await createLeaseLock({ leases, clock }).withLease('a', idle, { signal })).toBe(true);
  });

  it('stood still for less keeps the lock', async () => {
    const { clock, held, isFree } = await hold();

    await clock.freeze(leaseMs - 6_000);
    await clock.advance(leaseMs);

    expect(held.aborted).toBe(false);
    expect(await isFree()).toBe(false);
  });
});

describe('a lock that cannot be given back', () => {
  it.each<[string, () => Promise<never>]>([
    ['is out of reach', () => Promise.reject(outage)],
    ['is silent', never],
  ])('does not spoil the work when the service %s', async (_, release) => {
    const { clock, end } = await hold(() => ({ release }));

    const outcome = end();
    await clock.advance(5_000);

    expect(await outcome).toBe(true);
    expect(clock.timers).toBe(0);
  });
});
