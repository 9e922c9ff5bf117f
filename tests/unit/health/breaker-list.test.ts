import { describe, expect, it } from 'vitest';
import { breakerListShape } from '../../../src/lib/health/breaker-shapes.ts';
import { currentContext, runInContext } from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';
import { signal, startInstance, tableWithOutages } from './breaker-instance.ts';

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
      'jwks closed auto',
      'key-vault closed auto',
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

  it('is told of by nobody whose call has opened it', async () => {
    const clock = fakeClock();
    const { store } = tableWithOutages();
    const told: unknown[] = [];
    const table = {
      ...store,
      upsert(...args: Parameters<typeof store.upsert>) {
        told.push(currentContext());
        return store.upsert(...args);
      },
    };
    const { fail } = startInstance(clock, table);
    const context = { correlationId: 'c', functionName: 'f', requestId: 'r', write: undefined };

    await runInContext(context, async () => {
      await fail();
      await fail();
      await clock.advance(0);
    });

    expect(told).toEqual([undefined]);
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
