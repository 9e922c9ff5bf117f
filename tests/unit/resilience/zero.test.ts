import { describe, expect, it } from 'vitest';
import { azureError } from './failures.ts';
import { failing, failingForEver, settle, setUp, signal } from './set-up.ts';

const busy = () => failingForEver(azureError(503));
const stateOfBlob = (resilience: ReturnType<typeof setUp>['resilience']) =>
  resilience.states().find(({ name }) => name === 'blob')?.state;

describe('zero', () => {
  it('retries is one try', async () => {
    const { resilience, of } = setUp({ retries: 0 });
    const unit = busy();

    await resilience.run('blob', 'read', unit.run, { signal }).catch(() => {});

    expect([unit.tries, of('give_up')[0]?.reason]).toEqual([1, 'attempts']);
  });

  it('seconds of cap is a retry at once', async () => {
    const { resilience, clock, of } = setUp({ retryCapMs: 0 });
    const startedMs = clock.monotonicMs();

    const run = resilience.run('blob', 'read', failing(azureError(503), azureError(503)).run, { signal });
    await clock.advance(0);

    expect(await run).toBe('done');
    expect(clock.monotonicMs()).toBe(startedMs);
    expect(of('retry').map(({ delayMs }) => delayMs)).toEqual([0, 0]);
  });

  it('budget is no retry, and a minimum of zero leaves the share', async () => {
    const none = setUp({ budgetMinimum: 0, budgetShare: 0, breakerThreshold: 0 });
    const share = setUp({ budgetMinimum: 0, budgetShare: 1, breakerThreshold: 0 });
    const [first, second] = [busy(), busy()];

    await settle(none.resilience.run('blob', 'read', first.run, { signal }), none.clock);
    await settle(share.resilience.run('blob', 'read', second.run, { signal }), share.clock);

    expect([first.tries, none.of('give_up')[0]?.reason]).toEqual([1, 'budget']);
    expect([second.tries, share.of('give_up')[0]?.reason]).toEqual([2, 'budget']);
  });

  it('as threshold is a breaker that never opens', async () => {
    const { resilience } = setUp({ breakerThreshold: 0, retries: 0 });

    for (let i = 0; i < 50; i++) await resilience.run('blob', 'read', busy().run, { signal }).catch(() => {});

    expect(stateOfBlob(resilience)).toBe('closed');
    expect(await resilience.run('blob', 'read', failing().run, { signal })).toBe('done');
  });

  it('as pause of the breaker lets the next call be the probe', async () => {
    const { resilience } = setUp({ breakerThreshold: 1, breakerOpenMs: 0, retries: 0 });

    await resilience.run('blob', 'read', busy().run, { signal }).catch(() => {});
    const after = stateOfBlob(resilience);

    expect(after).toBe('half_open');
    expect(await resilience.run('blob', 'read', failing().run, { signal })).toBe('done');
  });

  it('as size of the bulkhead is no limit', async () => {
    const { resilience } = setUp({ bulkheadSize: 0, bulkheadQueue: 0 });
    const gate = Promise.withResolvers<string>();

    const calls = Array.from({ length: 500 }, () =>
      resilience.run('blob', 'read', () => gate.promise, { signal }),
    );
    gate.resolve('done');

    expect(new Set(await Promise.all(calls))).toEqual(new Set(['done']));
  });

  it('as queue of the bulkhead rejects who finds no slot', async () => {
    const { resilience, of } = setUp({ bulkheadSize: 1, bulkheadQueue: 0 });
    const gate = Promise.withResolvers<string>();
    const running = resilience.run('blob', 'read', () => gate.promise, { signal });

    await expect(resilience.run('blob', 'read', failing().run, { signal })).rejects.toMatchObject({
      code: 'unavailable',
    });

    gate.resolve('done');
    expect(await running).toBe('done');
    expect(of('rejected')).toEqual([{ type: 'rejected', dependency: 'blob', by: 'bulkhead' }]);
  });

  it('as time for a try cuts off what does not answer at once', async () => {
    const { resilience, clock } = setUp({ timeoutMs: 0, retries: 0 });

    const result = await settle(
      resilience.run('blob', 'read', () => new Promise(() => {}), { signal }),
      clock,
    );

    expect(result).toMatchObject({ code: 'unavailable', cause: { code: 'attempt_timeout' } });
    expect(await resilience.run('blob', 'read', failing().run, { signal })).toBe('done');
  });

  it('as wish of the service is a retry at once', async () => {
    const { resilience, clock, of } = setUp();
    const run = resilience.run('blob', 'read', failing(azureError(503, '', { 'retry-after': '0' })).run, {
      signal,
    });

    await clock.advance(0);

    expect(await run).toBe('done');
    expect(of('retry')[0]?.delayMs).toBe(0);
  });
});
