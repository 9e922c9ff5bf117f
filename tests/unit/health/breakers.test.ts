import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { breakerListShape, breakerShape } from '../../../src/lib/health/breaker-shapes.ts';
import { createBreakers } from '../../../src/lib/health/breakers.ts';
import { createResilience, type ResilienceEvent } from '../../../src/lib/resilience/index.ts';
import type { TableStore } from '../../../src/lib/storage/index.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';

const { signal } = new AbortController();

/** A table that can be away, or so slow that nobody hears of it again. */
function tableWithOutages() {
  const store = memoryTableStore();
  const outage: { kind: 'none' | 'away' | 'silent' } = { kind: 'none' };
  let queries = 0;
  const pass = async (callSignal: AbortSignal) => {
    if (outage.kind === 'away') throw new AppError('unavailable', 'Table storage is not available');
    if (outage.kind === 'silent')
      await new Promise((_, reject) => callSignal.addEventListener('abort', () => reject(callSignal.reason)));
  };
  const table: TableStore = {
    ...store,
    async upsert(entity, options) {
      await pass(options.signal);
      await store.upsert(entity, options);
    },
    async *query(query, options) {
      queries++;
      await pass(options.signal);
      yield* store.query(query, options);
    },
  };
  return { table, store, outage, queries: () => queries };
}

/** One process with its own breakers and its own idea of what is ordered. */
function startInstance(clock: FakeClock, table: TableStore, instance = 'one') {
  const events: ResilienceEvent[] = [];
  const warnings: string[] = [];
  const logger = {
    debug() {},
    info() {},
    warning: (message: string) => void warnings.push(message),
    error() {},
    child: () => logger,
  };
  const resilience = createResilience({
    clock,
    settings: { retries: 0, breakerThreshold: 2 },
    onEvent(event) {
      if (event.type === 'breaker') breakers.tell(event.dependency);
    },
    overrideOf: (name) => breakers.overrideOf(name),
  });
  const breakers = createBreakers({
    clock,
    logger,
    table,
    instance,
    resilience,
    onEvent: (event) => events.push(event),
  });
  const call = (dependency: 'blob' | 'table' | 'queue' = 'blob') =>
    resilience.run(dependency, 'ask', async () => 'done', { signal }).catch((error: unknown) => error);
  const fail = (dependency: 'blob' | 'table' = 'blob') =>
    resilience
      .run(dependency, 'ask', () => Promise.reject(Object.assign(new Error('busy'), { statusCode: 503 })), {
        signal,
      })
      .catch((error: unknown) => error);
  const statusOf = async (name: string) =>
    (await breakers.list(signal)).data.find((breaker) => breaker.name === name);
  return { breakers, resilience, events, warnings, call, fail, statusOf };
}

const rejected = { code: 'unavailable', retryAfterSeconds: 10 };

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
    await clock.advance(1_000);
    await call();

    expect(new Set(results)).toEqual(new Set(['done']));
    expect([during, queries()]).toEqual([0, 1]);
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
});

describe('the list of breakers', () => {
  it('has every dependency but the one that orders come through', async () => {
    const { breakers } = startInstance(fakeClock(), memoryTableStore());

    const list = breakerListShape.parse(await breakers.list(signal));

    expect(list.data.map(({ name, state, mode }) => `${name} ${state} ${mode}`)).toEqual([
      'blob closed auto',
      'backup-blob closed auto',
      'table closed auto',
      'queue closed auto',
      'postgres closed auto',
      'postgres-direct closed auto',
    ]);
    expect(list.modes_read_at).toBe('2026-01-01T00:00:00.000Z');
  });

  it('shows what another instance has opened, which is never acted on', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    const one = startInstance(clock, table, 'one');
    const two = startInstance(clock, table, 'two');

    await one.fail();
    await one.fail();
    await clock.advance(0);

    expect(await two.statusOf('blob')).toMatchObject({
      state: 'closed',
      elsewhere: [{ instance: 'one', state: 'open', since: '2026-01-01T00:00:00.000Z' }],
    });
    expect((await one.statusOf('blob'))?.elsewhere).toEqual([]);
    expect(await two.call()).toBe('done');
  });

  it('forgets it when that breaker closes', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    const one = startInstance(clock, table, 'one');
    const two = startInstance(clock, table, 'two');
    await one.fail();
    await one.fail();
    await clock.advance(60_000);

    await one.call();
    await clock.advance(0);

    expect((await two.statusOf('blob'))?.elsewhere).toEqual([]);
  });

  it('ignores what an instance told that has gone, and clears it away the next day', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    const gone = startInstance(clock, table, 'gone');
    const two = startInstance(clock, table, 'two');
    await gone.fail();
    await gone.fail();
    await clock.advance(10 * 60_000 + 1);
    const ignored = await two.statusOf('blob');
    await clock.advance(24 * 3_600_000);

    await two.fail('table');
    await two.fail('table');
    await clock.advance(0);

    expect(ignored?.elsewhere).toEqual([]);
    const rows = await Array.fromAsync(table.query({ partitionKey: 'state' }, { signal }));
    expect(rows.map(({ entity }) => entity.rowKey)).toEqual(['table two']);
  });

  it('does without it when the table does not answer, and a lost report is made good by the next', async () => {
    const clock = fakeClock();
    const { table, outage } = tableWithOutages();
    const one = startInstance(clock, table, 'one');
    const two = startInstance(clock, table, 'two');
    outage.kind = 'away';
    await one.fail();
    await one.fail();
    const without = await two.statusOf('blob');
    outage.kind = 'none';
    await clock.advance(60_000);

    await one.fail();
    await clock.advance(0);

    expect(without).toMatchObject({ state: 'closed', elsewhere: [] });
    expect((await two.statusOf('blob'))?.elsewhere).toMatchObject([{ instance: 'one', state: 'open' }]);
  });
});
