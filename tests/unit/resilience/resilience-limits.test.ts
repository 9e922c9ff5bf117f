import { describe, expect, it } from 'vitest';
import { createResilience, type Dependency } from '../../../src/lib/resilience/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { azureError, sqlError } from './failures.ts';
import { failing, failingForEver, settle, setUp, signal } from './set-up.ts';

describe('resilience.run: breaker and bulkhead', () => {
  it('opens after five failures in a row and tells when to come back', async () => {
    const { resilience, clock, of } = setUp({ retries: 0 });
    const unit = failingForEver(azureError(503));
    for (let i = 0; i < 5; i++) await resilience.run('blob', 'read', unit.run, { signal }).catch(() => {});
    await clock.advance(15_500);

    const result = await resilience
      .run('blob', 'read', unit.run, { signal })
      .catch((error: unknown) => error);

    expect(result).toMatchObject({ code: 'unavailable', retryAfterSeconds: 45 });
    expect(unit.tries).toBe(5);
    expect(of('rejected')).toEqual([{ type: 'rejected', dependency: 'blob', by: 'breaker' }]);
    expect(of('breaker')).toEqual([{ type: 'breaker', dependency: 'blob', state: 'open' }]);
  });

  it('does not retry the rejection of its own breaker', async () => {
    const { resilience, clock } = setUp({ breakerThreshold: 2 });
    const unit = failingForEver(azureError(503));

    await settle(resilience.run('blob', 'read', unit.run, { signal }), clock);

    expect(unit.tries).toBe(2);
  });

  it('asks nobody in vain who has waited for a turn until the breaker was open', async () => {
    const { resilience, clock } = setUp({ retries: 0 });
    let tries = 0;
    const hang = () => {
      tries++;
      return new Promise<never>(() => {});
    };
    const calls = Array.from({ length: 110 }, () => resilience.run('blob', 'read', hang, { signal }));
    const settled = Promise.allSettled(calls);

    // Ten run out of time one after the other; four slots change hands before the fifth failure opens the breaker.
    await clock.advance(30_000);
    await clock.advance(30_000);

    expect(await settled).toHaveLength(110);
    expect(tries).toBe(14);
    await clock.advance(30_000);
    expect(await resilience.run('blob', 'read', failing().run, { signal })).toBe('done');
    expect(clock.timers).toBe(0);
  });

  it('gives each of those who have waited for a turn their slot back, and one of them may be the probe', async () => {
    const { resilience, clock, of } = setUp({
      retries: 0,
      breakerThreshold: 1,
      breakerOpenMs: 0,
      bulkheadSize: 1,
    });
    const unit = failing(azureError(503));

    const results = await Promise.allSettled(
      Array.from({ length: 3 }, () => resilience.run('blob', 'read', unit.run, { signal })),
    );

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(of('breaker').map(({ state }) => state)).toEqual(['open', 'half_open', 'closed']);
    expect(clock.timers).toBe(0);
  });

  it('keeps dependencies apart', async () => {
    const { resilience } = setUp({ retries: 0, breakerThreshold: 1 });

    await resilience.run('blob', 'read', failingForEver(azureError(503)).run, { signal }).catch(() => {});

    expect(await resilience.run('backup-blob', 'read', failing().run, { signal })).toBe('done');
    expect(resilience.states().map(({ name, state }) => `${name} ${state}`)).toEqual([
      'blob open',
      'backup-blob closed',
      'table closed',
      'queue closed',
      'postgres closed',
      'postgres-direct closed',
      'jwks closed',
      'key-vault closed',
    ]);
  });

  it('lets a call through as soon as a health check has passed', async () => {
    const { resilience, clock } = setUp({ retries: 0, breakerThreshold: 1 });
    await resilience
      .run('postgres', 'query', failingForEver(sqlError('57P03')).run, { signal })
      .catch(() => {});
    await clock.advance(10_000);

    resilience.noteRecovery('postgres');

    expect(await resilience.run('postgres', 'query', failing().run, { signal })).toBe('done');
    expect(resilience.states().find(({ name }) => name === 'postgres')?.state).toBe('closed');
  });

  it('does not let an aborted probe decide', async () => {
    const { resilience, clock } = setUp({ retries: 0, breakerThreshold: 1 });
    await resilience.run('blob', 'read', failingForEver(azureError(503)).run, { signal }).catch(() => {});
    await clock.advance(60_000);
    const abort = new AbortController();
    const probe = resilience
      .run('blob', 'read', () => new Promise(() => {}), { signal: abort.signal })
      .catch(() => {});

    abort.abort();
    await probe;

    expect(resilience.states()[0]?.state).toBe('half_open');
  });

  it('holds no slot while it waits for a retry', async () => {
    const { resilience, clock } = setUp({ bulkheadSize: 1, bulkheadQueue: 0 });
    const waiting = resilience.run('blob', 'read', failing(azureError(503)).run, { signal });
    await clock.advance(1);

    const meanwhile = await resilience.run('blob', 'read', failing().run, { signal });

    expect(meanwhile).toBe('done');
    expect(await settle(waiting, clock)).toBe('done');
  });

  it('runs as many calls to a dependency at a time as it is told', async () => {
    const resilience = createResilience({ clock: fakeClock(), bulkheadSizes: { postgres: 2 } });
    const runningAtOnce = async (dependency: Dependency) => {
      const gate = Promise.withResolvers<void>();
      let running = 0;
      const call = () => {
        running++;
        return gate.promise;
      };
      const calls = Array.from({ length: 12 }, () => resilience.run(dependency, 'ask', call, { signal }));
      const most = running;
      gate.resolve();
      await Promise.all(calls);
      return most;
    };

    expect([await runningAtOnce('postgres'), await runningAtOnce('postgres-direct')]).toEqual([2, 10]);
  });

  it('runs ten at a time, and rejects who finds the queue full without counting it', async () => {
    const { resilience, of } = setUp({ breakerThreshold: 1, bulkheadQueue: 2 });
    const gate = Promise.withResolvers<void>();
    let running = 0;
    const call = () =>
      resilience.run(
        'table',
        'get',
        () => {
          running++;
          return gate.promise;
        },
        { signal },
      );

    const calls = Array.from({ length: 12 }, call);
    const thirteenth = await call().catch((error: unknown) => error);
    const runningAtOnce = running;
    gate.resolve();
    await Promise.all(calls);

    expect([runningAtOnce, running]).toEqual([10, 12]);
    expect(thirteenth).toMatchObject({ code: 'unavailable', retryAfterSeconds: 5 });
    expect(of('rejected')).toEqual([{ type: 'rejected', dependency: 'table', by: 'bulkhead' }]);
    expect(resilience.states().every(({ state }) => state === 'closed')).toBe(true);
  });
});
