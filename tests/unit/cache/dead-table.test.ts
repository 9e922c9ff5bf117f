import { describe, expect, it } from 'vitest';
import { cacheKey } from '../../../src/lib/cache/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';
import { fail, hang, key, minuteMs, passing, signal, slowSource, startProcess } from './set-up.ts';

/** A table whose calls fail or hang while `broken` says so. */
function breakableTable(breakage: () => Promise<never>) {
  const sound = memoryTableStore();
  const state = { broken: true, calls: 0 };
  const table = new Proxy(sound, {
    get: (target, method: keyof typeof sound) => {
      if (!state.broken) return target[method];
      return (...args: unknown[]) => {
        state.calls += 1;
        if (method !== 'query') return breakage();
        return { [Symbol.asyncIterator]: () => ({ next: breakage }), args };
      };
    },
  });
  return { table, state };
}

const ways: [string, () => Promise<never>][] = [
  ['fails', fail],
  ['hangs', hang],
];

describe.each(ways)('a table that %s', (_, breakage) => {
  it('costs the first caller a quarter of a second, and the next ones nothing', async () => {
    const { table, state } = breakableTable(breakage);
    const { region, clock, statistics, caches, logged } = startProcess({ table });
    const source = slowSource(clock);
    const keys = [cacheKey(1), cacheKey(2), cacheKey(3)] as const;

    const first = await passing(clock, 350, region.get(keys[0], source.load, signal));
    const second = await passing(clock, 100, region.get(keys[1], source.load, signal));
    const third = await passing(clock, 100, region.get(keys[2], source.load, signal));
    const again = await region.get(keys[0], source.load, signal);

    expect([first, second, third, again]).toEqual(['value 1', 'value 2', 'value 3', 'value 1']);
    expect(state.calls).toBe(1);
    expect(caches.statistics().table_failures).toBe(1);
    expect(statistics()).toMatchObject({ hits: 1, misses: 3, load_failures: 0 });
    expect(logged).toEqual(['cache: info: the shared cache is left alone for a moment']);
    expect(clock.timers).toBe(0);
  });

  it('is used again when it answers, after ten seconds at the latest', async () => {
    const { table, state } = breakableTable(breakage);
    const clock = fakeClock();
    const [a, b] = [startProcess({ clock, table }), startProcess({ clock, table })];
    const source = slowSource(clock);
    await passing(clock, 350, a.region.get(key, source.load, signal));
    state.broken = false;
    await clock.advance(10_000);

    await passing(clock, 100, a.region.get(cacheKey('b'), source.load, signal));

    expect(await passing(clock, 100, b.region.get(cacheKey('b'), source.load, signal))).toBe('value 2');
    expect(b.statistics()).toMatchObject({ table_hits: 1 });
  });

  it('does not keep a value from being taken back, for two seconds at most, and says so', async () => {
    const { table, state } = breakableTable(breakage);
    const { region, clock } = startProcess({ table });
    state.broken = false;
    const source = slowSource(clock);
    await passing(clock, 100, region.get(key, source.load, signal));
    state.broken = true;

    const told = await passing(clock, 2_000, region.delete(key));
    state.broken = false;
    await clock.advance(10_000);
    const next = await passing(clock, 100, region.get(key, source.load, signal));

    expect(told).toBe(false);
    // The old row is still there; this process knows better than to believe it.
    expect(next).toBe('value 2');
  });

  it.each(['set', 'invalidate'] as const)('makes %s say that others were not told', async (method) => {
    const { table } = breakableTable(breakage);
    const { region, clock } = startProcess({ table });

    const done = method === 'set' ? region.set(key, 'written') : region.invalidate(key);

    expect(await passing(clock, 10_000, done)).toBe(false);
    expect(clock.timers).toBe(0);
  });
});

describe('a table that is slow', () => {
  it('is not waited for: the old row that it still holds is not read while it is being replaced', async () => {
    const sound = memoryTableStore();
    let release = () => {};
    const { region, clock } = startProcess({
      table: {
        ...sound,
        replace: async (row, options) => {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          return sound.replace(row, options);
        },
      },
    });
    const source = slowSource(clock);
    await passing(clock, 100, region.get(key, source.load, signal));

    const deleting = region.delete(key);
    const next = await passing(clock, 100, region.get(key, source.load, signal));
    release();

    expect(next).toBe('value 2');
    expect(await deleting).toBe(true);
    await clock.advance(minuteMs);
    expect(await passing(clock, 100, region.get(key, source.load, signal))).toBe('value 3');
  });

  it('that cannot even be opened costs nothing but hits', async () => {
    const clock = fakeClock();
    const { region } = startProcess({
      clock,
      table: {
        get get(): never {
          throw new TypeError('no endpoint for tables is known');
        },
      } as never,
    });
    const source = slowSource(clock);

    expect(await passing(clock, 100, region.get(key, source.load, signal))).toBe('value 1');
  });
});
