import { describe, expect, it } from 'vitest';
import {
  type BreakerOverride,
  createResilience,
  findDependency,
  type ResilienceEvent,
} from '../../../src/lib/resilience/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { azureError } from './failures.ts';
import { failing, failingForEver, settle, signal } from './set-up.ts';

function setUp() {
  const clock = fakeClock();
  const events: ResilienceEvent[] = [];
  const overrides = new Map<string, BreakerOverride>();
  const resilience = createResilience({
    clock,
    settings: { breakerThreshold: 2 },
    onEvent: (event) => events.push(event),
    overrideOf: (name) => overrides.get(name),
  });
  const run = (unit: { run(signal: AbortSignal): Promise<unknown> }) =>
    settle(resilience.run('blob', 'read', unit.run, { signal }), clock);
  const blob = () => resilience.states().find(({ name }) => name === 'blob');
  return { clock, events, overrides, resilience, run, blob };
}

describe('an operator’s order', () => {
  it('to stay open lets nobody through, though all is well', async () => {
    const { events, overrides, run, blob } = setUp();
    const unit = failing();
    overrides.set('blob', { mode: 'open', since: 7 });

    const result = await run(unit);

    expect(result).toMatchObject({ code: 'unavailable', retryAfterSeconds: 10 });
    expect(unit.tries).toBe(0);
    expect(blob()).toEqual({ name: 'blob', state: 'open', since: 7, mode: 'open' });
    expect(events).toEqual([{ type: 'rejected', dependency: 'blob', by: 'operator' }]);
  });

  it('also stops a call that waits for its next try', async () => {
    const { clock, overrides, resilience } = setUp();
    const unit = failingForEver(azureError(503));
    const waiting = resilience.run('blob', 'read', unit.run, { signal });
    await clock.advance(1);

    overrides.set('blob', { mode: 'open', since: 0 });

    expect(await settle(waiting, clock)).toMatchObject({ retryAfterSeconds: 10 });
    expect(unit.tries).toBe(1);
  });

  it('to stay closed lets everybody through, though all is lost, and the breaker learns nothing of it', async () => {
    const { events, overrides, run, blob } = setUp();
    overrides.set('blob', { mode: 'closed', since: 7 });
    const unit = failingForEver(azureError(503));

    await run(unit);
    await run(unit);
    const held = blob();
    overrides.clear();

    expect(unit.tries).toBe(8);
    expect(held).toEqual({ name: 'blob', state: 'closed', since: 7, mode: 'closed' });
    expect(blob()).toMatchObject({ state: 'closed', mode: 'auto' });
    expect(events.filter(({ type }) => type === 'breaker')).toEqual([]);
  });

  it('to stay closed passes by a breaker that is open, which is open as before afterwards', async () => {
    const { overrides, run, blob } = setUp();
    await run(failingForEver(azureError(503)));

    overrides.set('blob', { mode: 'closed', since: 0 });
    const meanwhile = await run(failing());
    overrides.clear();

    expect(meanwhile).toBe('done');
    expect(blob()).toMatchObject({ state: 'open', mode: 'auto' });
  });

  it('to stay open lets through what takes it back, as far as the breaker itself does', async () => {
    const { clock, events, overrides, resilience } = setUp();
    overrides.set('blob', { mode: 'open', since: 0 });
    const run = (unit: { run(signal: AbortSignal): Promise<unknown> }) =>
      settle(resilience.run('blob', 'read', unit.run, { signal, ignoresOrders: true }), clock);

    const passed = await run(failing());
    await run(failingForEver(azureError(503)));
    const broken = await run(failing());

    expect(passed).toBe('done');
    expect(broken).toMatchObject({ code: 'unavailable' });
    expect(events.at(-1)).toEqual({ type: 'rejected', dependency: 'blob', by: 'breaker' });
  });

  it('to stay closed is heeded also by what passes by an order to stay open', async () => {
    const { overrides, resilience, clock, run } = setUp();
    await run(failingForEver(azureError(503)));
    overrides.set('blob', { mode: 'closed', since: 0 });
    const options = { signal, ignoresOrders: true };

    const passed = await settle(resilience.run('blob', 'read', failing().run, options), clock);

    expect(passed).toBe('done');
  });

  it.each(['blob', 'postgres', 'webhook:a.example'] as const)(
    'to stay open reaches also those who wait for their turn: %s',
    async (name) => {
      const { events, overrides, resilience } = setUp();
      const gate = Promise.withResolvers<void>();
      const running = Array.from({ length: 10 }, () =>
        resilience.run(name, 'call', () => gate.promise, { signal }),
      );
      const unit = failing();
      const waiting = resilience.run(name, 'call', unit.run, { signal });

      overrides.set(name, { mode: 'open', since: 0 });
      gate.resolve();

      await expect(waiting).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 10 });
      await Promise.all(running);
      expect(unit.tries).toBe(0);
      expect(events).toEqual([{ type: 'rejected', dependency: name, by: 'operator' }]);
    },
  );

  it('that has ended lets a probe wait for its turn', async () => {
    const { overrides, resilience, run } = setUp();
    await run(failingForEver(azureError(503)));
    overrides.set('blob', { mode: 'closed', since: 0 });
    const gate = Promise.withResolvers<void>();
    const running = Array.from({ length: 10 }, () =>
      resilience.run('blob', 'read', () => gate.promise, { signal }),
    );
    overrides.clear();
    resilience.noteRecovery('blob');

    const probe = resilience.run('blob', 'read', failing().run, { signal });
    gate.resolve();

    expect(await probe).toBe('done');
    await Promise.all(running);
  });

  it('has no power over the table that orders come from, and neither has its breaker', async () => {
    const { overrides, resilience } = setUp();
    overrides.set('table-control', { mode: 'open', since: 0 });
    const unit = failingForEver(azureError(404));
    for (let i = 0; i < 9; i++)
      await resilience
        .run('table-control', 'ask', failingForEver(azureError(501)).run, { signal })
        .catch(() => {});

    await resilience.run('table-control', 'ask', unit.run, { signal }).catch(() => {});

    expect(unit.tries).toBe(1);
    expect(resilience.states().map(({ name }) => name)).not.toContain('table-control');
  });
});

describe('findDependency', () => {
  it.each([
    'blob',
    'postgres-direct',
    'webhook:a.example',
    'webhook:a.example:8443',
    'webhook:[2001:db8::1]',
  ])('knows %s', (name) => {
    expect(findDependency(name)).toBe(name);
  });

  it.each([
    '',
    'Blob',
    'table-control',
    'constructor',
    'webhook:',
    'webhook:-a',
    'webhook:a:b',
    'webhook:a/b',
  ])('knows no "%s"', (name) => {
    expect(findDependency(name)).toBeUndefined();
  });
});
