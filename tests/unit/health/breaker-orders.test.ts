import { describe, expect, it } from 'vitest';
import { createBreakerModes } from '../../../src/lib/health/breaker-modes.ts';
import { breakerShape } from '../../../src/lib/health/breaker-shapes.ts';
import { currentContext, runInContext } from '../../../src/lib/observability/index.ts';
import type { TableStore } from '../../../src/lib/storage/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';
import { rejected, signal, startInstance, tableWithOutages } from './breaker-instance.ts';

describe('an order for a breaker', () => {
  it('counts at once where it is given, and is answered as it stands', async () => {
    const clock = fakeClock();
    const { breakers, call, events } = startInstance(clock, memoryTableStore());

    const answer = await breakers.set('blob', 'open', 'key:1', signal);

    expect(breakerShape.parse(answer)).toEqual({
      name: 'blob',
      state: 'open',
      since: '2026-01-01T00:00:00.000Z',
      mode: 'open',
      set_by: 'key:1',
      set_at: '2026-01-01T00:00:00.000Z',
      elsewhere: [],
    });
    expect(await call()).toMatchObject(rejected);
    expect(await call('queue')).toBe('done');
    expect(events).toEqual([
      { type: 'breaker_mode', dependency: 'blob', by: 'key:1', before: 'auto', after: 'open' },
    ]);
  });

  it('is recorded with what was ordered before, also by another instance', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    const { breakers, audited } = startInstance(clock, table);
    await startInstance(clock, table, 'two').breakers.set('blob', 'open', 'key:1', signal);

    await breakers.set('blob', 'closed', 'key:2', signal);

    expect(audited).toEqual([
      {
        action: 'breaker.set',
        object: { type: 'breaker', id: 'blob' },
        before: { mode: 'open' },
        after: { mode: 'closed' },
      },
    ]);
  });

  it('is followed by every instance with traffic within 10 s, there and back', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    const one = startInstance(clock, table, 'one');
    const two = startInstance(clock, table, 'two');
    const traffic = async () => {
      for (let second = 0; second < 10; second++) {
        await two.call();
        await clock.advance(1_000);
      }
      return two.call();
    };
    await traffic();

    await one.breakers.set('blob', 'open', 'key:1', signal);
    const opened = await traffic();
    await one.breakers.set('blob', 'auto', 'key:2', signal);
    const released = await traffic();

    expect(opened).toMatchObject(rejected);
    expect(released).toBe('done');
    expect(two.events).toEqual([
      { type: 'breaker_mode', dependency: 'blob', by: 'key:1', before: 'auto', after: 'open' },
      { type: 'breaker_mode', dependency: 'blob', by: 'key:2', before: 'open', after: 'auto' },
    ]);
  });

  it('is told with what was ordered before, also elsewhere', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    const one = startInstance(clock, table, 'one');
    const two = startInstance(clock, table, 'two');
    await one.breakers.set('blob', 'open', 'key:1', signal);

    await two.breakers.set('blob', 'closed', 'key:2', signal);

    expect(two.events).toEqual([
      { type: 'breaker_mode', dependency: 'blob', by: 'key:1', before: 'auto', after: 'open' },
      { type: 'breaker_mode', dependency: 'blob', by: 'key:2', before: 'open', after: 'closed' },
    ]);
  });

  it('is followed after a restart', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    await startInstance(clock, table).breakers.set('blob', 'open', 'key:1', signal);
    const restarted = startInstance(clock, table, 'two');

    await restarted.call();
    await clock.advance(1_000);

    expect(await restarted.call()).toMatchObject(rejected);
  });

  it('can be taken back on the breaker of the table itself', async () => {
    const { breakers, call } = startInstance(fakeClock(), memoryTableStore());

    await breakers.set('table', 'open', 'key:1', signal);
    const held = await call('table');
    await breakers.set('table', 'auto', 'key:1', signal);

    expect(held).toMatchObject(rejected);
    expect(await call('table')).toBe('done');
  });

  it('to stay closed lets failures pass, and what failed meanwhile is not held against it later', async () => {
    const { breakers, call, fail, statusOf } = startInstance(fakeClock(), memoryTableStore());
    await breakers.set('blob', 'closed', 'key:1', signal);

    for (let i = 0; i < 10; i++) await fail();
    const held = await statusOf('blob');
    await breakers.set('blob', 'auto', 'key:1', signal);

    expect(held).toMatchObject({ state: 'closed', mode: 'closed' });
    expect(await call()).toBe('done');
  });

  it('may be for a host that this instance has never called', async () => {
    const { breakers, statusOf, resilience } = startInstance(fakeClock(), memoryTableStore());

    await breakers.set('webhook:hooks.example', 'open', 'key:1', signal);

    expect(await statusOf('webhook:hooks.example')).toMatchObject({ state: 'open', mode: 'open' });
    await expect(
      resilience.run('webhook:hooks.example', 'send', async () => 'sent', { signal }),
    ).rejects.toMatchObject(rejected);
    await breakers.set('webhook:hooks.example', 'auto', 'key:1', signal);
    expect(await statusOf('webhook:hooks.example')).toMatchObject({ state: 'closed', mode: 'auto' });
  });

  it.each([
    'nothing',
    'table-control',
    'toString',
    'webhook:',
    'webhook:a b',
    'webhook:a/../b',
    'webhook:A#x',
  ])('is refused for %s', async (name) => {
    const { breakers } = startInstance(fakeClock(), memoryTableStore());

    await expect(breakers.set(name, 'open', 'key:1', signal)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('changes nothing when it cannot be kept', async () => {
    const { table, outage } = tableWithOutages();
    const { breakers, call, events } = startInstance(fakeClock(), table);
    outage.kind = 'away';

    await expect(breakers.set('blob', 'open', 'key:1', signal)).rejects.toMatchObject({
      code: 'unavailable',
    });

    expect(await call()).toBe('done');
    expect(events).toEqual([]);
  });

  it('is not undone by a reading that began before it was kept', async () => {
    const clock = fakeClock();
    const store = memoryTableStore();
    const answer = Promise.withResolvers<void>();
    let isSlow = false;
    const table: TableStore = {
      ...store,
      async *query(query, options) {
        const rows = await Array.fromAsync(store.query(query, options));
        if (isSlow && query.partitionKey === 'mode') await answer.promise;
        yield* rows;
      },
      async upsert(entity, options) {
        // Meanwhile a call has the orders read again.
        isSlow = true;
        await clock.advance(3_000);
        await call();
        await clock.advance(1_000);
        await store.upsert(entity, options);
      },
    };
    const { breakers, call } = startInstance(clock, table);

    await breakers.set('queue', 'open', 'key:1', signal);
    answer.resolve();
    await clock.advance(0);

    expect(await call('queue')).toMatchObject(rejected);
  });

  it('in words that nobody knows leaves the breaker to itself', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    await table.upsert({ partitionKey: 'mode', rowKey: 'blob', mode: 'ajar' }, { signal });
    const { call } = startInstance(clock, table);

    await call();
    await clock.advance(1_000);

    expect(await call()).toBe('done');
  });
});

describe('reading the orders', () => {
  it('keeps no call waiting, and is done once for all of them', async () => {
    const clock = fakeClock();
    const { table, outage, queries } = tableWithOutages();
    outage.kind = 'silent';
    const { call } = startInstance(clock, table);

    const results = await Promise.all(Array.from({ length: 10 }, () => call()));
    const during = queries();
    const timers = clock.timers;
    await clock.advance(1_000);
    await call();

    expect(new Set(results)).toEqual(new Set(['done']));
    expect([during, timers, queries()]).toEqual([0, 1, 1]);
  });

  it('happens no more often than every four seconds, and not without traffic', async () => {
    const clock = fakeClock();
    const { table, queries } = tableWithOutages();
    const { call } = startInstance(clock, table);
    for (let i = 0; i < 40; i++) {
      await call();
      await clock.advance(1_000);
    }
    const busy = queries();

    await clock.advance(3_600_000);

    expect(busy).toBe(10);
    expect(queries()).toBe(10);
    expect(clock.timers).toBe(0);
  });

  it.each(['away', 'silent'] as const)(
    'leaves the last orders standing while the table is %s',
    async (kind) => {
      const clock = fakeClock();
      const { table, outage } = tableWithOutages();
      const { breakers, call, warnings, statusOf } = startInstance(clock, table);
      await breakers.set('blob', 'open', 'key:1', signal);
      const readAt = clock.now();
      outage.kind = kind;

      for (let i = 0; i < 60; i++) {
        await call();
        await clock.advance(1_000);
      }
      const list = breakers.list(signal);
      await clock.advance(3_000);

      expect(await call()).toMatchObject(rejected);
      expect(warnings).toEqual(['the orders for circuit breakers could not be read: the last ones stand']);
      expect(Date.parse((await list).modes_read_at ?? '')).toBe(readAt);
      outage.kind = 'none';
      expect(await statusOf('blob')).toMatchObject({ mode: 'open', set_by: 'key:1' });
    },
  );

  it('is told of by nobody whose call has found them old, also when it fails', async () => {
    const clock = fakeClock();
    const told: unknown[] = [];
    const modes = createBreakerModes({
      clock,
      table: {
        ...memoryTableStore(),
        query() {
          told.push(currentContext());
          throw new Error('away');
        },
      },
      onEvent() {},
      onReadFailure: () => told.push(currentContext()),
    });
    const context = { correlationId: 'c', functionName: 'f', requestId: 'r', write: undefined };

    await runInContext(context, async () => {
      modes.overrideOf('blob');
      await clock.advance(1_000);
    });

    expect(told).toEqual([undefined, undefined]);
  });
});
