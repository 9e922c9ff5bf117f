import { describe, expect, it } from 'vitest';
import { cacheKey, type Region } from '../../../src/lib/cache/index.ts';
import type { CacheTable } from '../../../src/lib/cache/shared-table.ts';
import { sleep } from '../../../src/lib/core/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';
import { toArray } from '../../support/to-array.ts';
import { hourMs, key, minuteMs, passing, signal, slowSource, startProcess } from './set-up.ts';

/** Two processes before one table, on one clock, with one source. */
function startTwo(tookMs = 100) {
  const clock = fakeClock();
  const table = memoryTableStore();
  const [a, b] = [startProcess({ clock, table }), startProcess({ clock, table })];
  const source = slowSource(clock, tookMs);
  const ask = (process: typeof a) => passing(clock, tookMs, process.region.get(key, source.load, signal));
  return { clock, table, a, b, source, ask };
}

const rowsOf = (table: CacheTable) => toArray(table.query({ partitionKey: 'texts' }, { signal }));

describe('a shared value', () => {
  it('is made by one process and found by the others, until it ends', async () => {
    const { clock, a, b, source, ask } = startTwo();

    expect([await ask(a), await ask(b)]).toEqual(['value 1', 'value 1']);
    expect(b.statistics()).toMatchObject({ hits: 1, misses: 0, table_hits: 1, loads: 0 });
    await clock.advance(hourMs);

    expect(await ask(b)).toBe('value 2');
    expect(source.loads).toBe(2);
  });

  it('is not put into the table when it is made in 50 ms', async () => {
    const { table, a, ask } = startTwo(50);

    await ask(a);

    expect(await rowsOf(table)).toEqual([]);
  });

  it('is put there when it takes 51 ms', async () => {
    const { table, a, ask } = startTwo(51);

    await ask(a);

    expect((await rowsOf(table)).map(({ entity }) => entity)).toEqual([
      expect.objectContaining({ key: '"a",', value: '"value 1"' }),
    ]);
  });

  it('is never there of a region that does not share', async () => {
    const clock = fakeClock();
    const asked: string[] = [];
    const table = new Proxy({} as CacheTable, {
      get: (_, method) => {
        asked.push(String(method));
      },
    });
    const { region } = startProcess({ clock, table, declaration: { shared: false } });
    const source = slowSource(clock);

    await passing(clock, 100, region.get(key, source.load, signal));
    await Promise.all([region.set(key, 'x'), region.delete(key), region.invalidate(key)]);

    expect(asked).toEqual([]);
  });

  it('is looked up again after a minute, without anybody waiting for it', async () => {
    const { clock, a, b, source, ask } = startTwo();
    await ask(a);
    await ask(b);

    await clock.advance(0.9 * minuteMs);
    expect(await ask(b)).toBe('value 1');
    await clock.advance(0.9 * minuteMs);
    await ask(b);

    expect(source.loads).toBe(1);
    expect(b.statistics()).toMatchObject({ hits: 3, misses: 0, table_hits: 1 });
  });

  it('is renewed for all in the last fifth of its life', async () => {
    const { clock, a, b, source, ask } = startTwo();
    await ask(a);
    await clock.advance(0.95 * 0.85 * hourMs);

    const found = await ask(b);
    await clock.advance(0.9 * minuteMs);
    await ask(b);
    await clock.advance(100);

    expect(found).toBe('value 1');
    expect(source.loads).toBe(2);
    expect(await ask(a)).toBe('value 2');
    expect(await ask(b)).toBe('value 2');
  });

  it('never makes way for an older one that the table still holds', async () => {
    const { clock, a, source, ask } = startTwo();
    await ask(a);
    await clock.advance(0.95 * 0.85 * hourMs);
    await ask(a);
    // Made anew, too quickly to be shared.
    await clock.advance(0.9 * minuteMs);
    await a.region.get(key, async () => 'newer', signal);
    await clock.advance(0);

    expect(await a.region.get(key, source.load, signal)).toBe('newer');
    await clock.advance(minuteMs);
    expect(await ask(a)).toBe('value 2');
  });

  it('stays in memory only when it is too long for a row', async () => {
    const { clock, table, a, b } = startTwo();
    const make = (length: number) => async () => {
      await clock.advance(60);
      return 'x'.repeat(length);
    };
    const [longest, tooLong] = [cacheKey('longest'), cacheKey('too long')];

    await a.region.get(longest, make(32_766), signal);
    await a.region.get(tooLong, make(32_767), signal);
    await clock.advance(0);

    expect(await rowsOf(table)).toHaveLength(1);
    expect(await b.region.get(longest, async () => 'made', signal)).toHaveLength(32_766);
    expect(await a.region.get(tooLong, async () => 'made', signal)).toHaveLength(32_767);
    expect(await b.region.get(tooLong, async () => 'made', signal)).toBe('made');
    expect(b.logged).toEqual([]);
  });

  it('takes the place of another at the latest in row 4,097', async () => {
    const { table, a } = startTwo();

    for (let number = 0; number < 6_000; number += 1) await a.region.set(cacheKey(number), 'x');

    const rows = await rowsOf(table);
    expect(rows.length).toBeGreaterThan(2_500);
    expect(rows.length).toBeLessThanOrEqual(4_096);
  });
});

describe('a row', () => {
  const bornAt = new Date(Date.UTC(2026, 0, 1));
  const row = {
    key: '"a",',
    value: '"foreign"',
    born_at: bornAt,
    expires_at: new Date(bornAt.getTime() + hourMs),
  };

  /** What a process gives when this row is where the value was. */
  async function valueBehind(changes: Readonly<Record<string, unknown>>) {
    const { clock, table, a, b, ask } = startTwo();
    await ask(a);
    const place = (await rowsOf(table))[0]?.entity['rowKey'];
    await table.upsert({ ...row, ...changes, partitionKey: 'texts', rowKey: String(place) } as never, {
      signal,
    });
    const value = await ask(b);
    return { clock, b, ask, value };
  }

  it('is believed when it is whole', async () => {
    expect((await valueBehind({})).value).toBe('foreign');
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['no JSON', { value: '"foreign' }],
    ['of another shape', { value: '7' }],
    ['of another key', { key: '"b",' }],
    ['over', { expires_at: bornAt }],
    ['without an end', { expires_at: undefined }],
    ['without a beginning', { born_at: undefined }],
    ['of other types', { born_at: 'x', expires_at: 7, value: 8 }],
  ])('that is %s is a miss, and replaced', async (_, changes) => {
    const { clock, b, ask, value } = await valueBehind(changes);

    expect(value).toBe('value 2');
    expect(b.statistics()).toMatchObject({ hits: 0, misses: 1 });
    await clock.advance(minuteMs);
    expect(await ask(b)).toBe('value 2');
    expect(b.statistics()).toMatchObject({ hits: 1, table_hits: 1 });
  });

  it('does not live longer than the region says, whatever it says itself', async () => {
    const { clock, ask, b, value } = await valueBehind({ expires_at: new Date(Date.UTC(2999, 0)) });
    await clock.advance(hourMs);

    expect([value, await ask(b)]).toEqual(['foreign', 'value 2']);
  });
});

describe('taking back in one process', () => {
  it.each(['delete', 'invalidate'] as const)('by %s is known to others within a minute', async (method) => {
    const { clock, a, b, ask } = startTwo();
    await ask(a);
    await ask(b);

    expect(await a.region[method](key)).toBe(true);
    const early = await b.region.get(key, async () => 'never', signal);
    await clock.advance(minuteMs);

    expect(early).toBe('value 1');
    expect(await ask(b)).toBe('value 2');
  });

  it('by set gives others the new value within a minute', async () => {
    const { clock, a, b, ask } = startTwo();
    await ask(b);

    await a.region.set(key, 'written');
    await clock.advance(minuteMs);

    expect(await ask(b)).toBe('written');
    expect(await ask(a)).toBe('written');
  });

  it.each(['delete', 'set'] as const)('by %s wins over a load that runs in another', async (method) => {
    const { clock, a, b, source, ask } = startTwo();

    const old = b.region.get(key, source.load, signal);
    await clock.advance(50);
    await (method === 'set' ? a.region.set(key, 'written') : a.region.delete(key));
    await clock.advance(50);
    expect(await old).toBe('value 1');
    await clock.advance(minuteMs);

    expect(await ask(b)).toBe(method === 'set' ? 'written' : 'value 2');
  });

  it('wins over a load that replaces a value that had ended', async () => {
    const { clock, a, b, source, ask } = startTwo();
    await ask(a);
    await clock.advance(2 * hourMs);

    const old = b.region.get(key, source.load, signal);
    await clock.advance(50);
    await a.region.delete(key);
    await clock.advance(50 + minuteMs);

    expect(await old).toBe('value 2');
    expect(await ask(b)).toBe('value 3');
  });

  it('is minded also when the source fails: what was taken back is no longer given out as old', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    const declaration = { staleMs: hourMs };
    const [a, b] = [startProcess({ clock, table, declaration }), startProcess({ clock, table, declaration })];
    const source = slowSource(clock);
    await passing(clock, 100, b.region.get(key, source.load, signal));
    await a.region.delete(key);
    await clock.advance(minuteMs);
    source.fails = true;

    await expect(passing(clock, 100, b.region.get(key, source.load, signal))).rejects.toThrow('down');
  });

  it('is minded also when it happened in the same millisecond', async () => {
    const clock = fakeClock();
    const table = memoryTableStore();
    const declaration = { staleMs: hourMs };
    const [a, b] = [startProcess({ clock, table, declaration }), startProcess({ clock, table, declaration })];
    await b.region.get(key, async () => 'old', signal);
    await a.region.delete(key);
    await clock.advance(minuteMs);

    const asked = b.region.get(key, () => Promise.reject(new Error('the source is down')), signal);

    await expect(asked).rejects.toThrow('down');
  });

  const changes: [string, (region: Region<string>) => Promise<boolean>, string][] = [
    ['set', (region) => region.set(key, 'new'), 'new'],
    ['delete', (region) => region.delete(key), 'made'],
    ['invalidate', (region) => region.invalidate(key), 'made'],
  ];

  /** Two processes, and a table that keeps the first write waiting for a second. */
  function startBeforeSlowTable() {
    const clock = fakeClock();
    const store = memoryTableStore();
    let writes = 0;
    const slowly =
      <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
      async (...args: Args) => {
        if (++writes === 1) await sleep(clock, 1_000);
        return call(...args);
      };
    const table = { ...store, insert: slowly(store.insert), replace: slowly(store.replace) };
    const [a, b] = [startProcess({ clock, table }), startProcess({ clock, table })];
    const given = async () => {
      await clock.advance(minuteMs);
      return Promise.all([a, b].map(({ region }) => region.get(key, async () => 'made', signal)));
    };
    return { clock, a, b, given };
  }

  it.each(changes)(
    'by %s is not undone by a write of its own that was begun before',
    async (_, change, after) => {
      const { clock, a, given } = startBeforeSlowTable();

      const changing = [a.region.set(key, 'old'), change(a.region)];
      await clock.advance(1_000);

      expect(await Promise.all(changing)).toEqual([true, true]);
      expect(await given()).toEqual([after, after]);
    },
  );

  it.each(changes)('by %s is not undone by a load whose value is on its way', async (_, change, after) => {
    const { clock, a, given } = startBeforeSlowTable();
    await passing(clock, 100, a.region.get(key, slowSource(clock).load, signal));

    const changing = change(a.region);
    await clock.advance(1_000);

    expect(await changing).toBe(true);
    expect(await given()).toEqual([after, after]);
  });

  it.each(changes.slice(0, 2))(
    'by %s is not undone by a write of another that was begun before',
    async (_, change, after) => {
      const { clock, a, b, given } = startBeforeSlowTable();

      const changing = [a.region.set(key, 'old')];
      await clock.advance(1);
      changing.push(change(b.region));
      await clock.advance(1_000);

      expect(await Promise.all(changing)).toEqual([true, true]);
      expect(await given()).toEqual([after, after]);
    },
  );

  it('of a value that no row can hold takes older ones away', async () => {
    const { clock, a, b, ask } = startTwo();
    await ask(b);

    expect(await a.region.set(key, 'x'.repeat(40_000))).toBe(true);
    await clock.advance(minuteMs);

    expect(await ask(b)).toBe('value 2');
  });
});
