import { describe, expect, it } from 'vitest';
import { cacheKey } from '../../../src/lib/cache/index.ts';
import { sleep, startDeadline } from '../../../src/lib/core/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { hourMs, key, minuteMs, passing, signal, slowSource, startProcess } from './set-up.ts';

const here = { shared: false } as const;

describe('a value', () => {
  it('is made once, and given out until an hour is over, less up to a tenth', async () => {
    const clock = fakeClock({ random: () => 0.5 });
    const { region } = startProcess({ clock, declaration: here });
    const source = slowSource(clock);
    const get = () => passing(clock, 100, region.get(key, source.load, signal));

    const first = await get();
    await clock.advance(0.95 * hourMs * 0.8 - 400);
    const late = await get();
    await clock.advance(0.95 * hourMs * 0.2 + 400);
    const fresh = await get();

    expect([first, late, fresh]).toEqual(['value 1', 'value 1', 'value 2']);
    expect(clock.timers).toBe(0);
  });

  it('is as old as the question: the time it took to make is part of its life', async () => {
    const { region, clock } = startProcess({ declaration: { ...here, ttlMs: 10_000, exact: true } });
    const source = slowSource(clock, 4_000);
    const get = () => passing(clock, 4_000, region.get(key, source.load, signal));

    await get();
    await clock.advance(5_999);
    expect(await region.get(key, source.load, signal)).toBe('value 1');
    await clock.advance(1);

    expect(await get()).toBe('value 2');
  });

  it('ends when the wall clock was put forward, and not later when it was put back', async () => {
    const { region, clock } = startProcess({ declaration: { ...here, exact: true } });
    const source = slowSource(clock, 0);
    const get = () => passing(clock, 0, region.get(key, source.load, signal));

    const values = [await get()];
    clock.jump(hourMs);
    values.push(await get());
    clock.jump(-5 * hourMs);
    await clock.advance(hourMs);
    values.push(await get());

    expect(values).toEqual(['value 1', 'value 2', 'value 3']);
  });

  it('may be null', async () => {
    const { caches } = startProcess();
    const region = caches.region<null>({ name: 'nothing', maxBytes: 10_000, shared: false });
    let loads = 0;
    const load = async () => {
      loads += 1;
      return null;
    };

    expect([await region.get(key, load, signal), await region.get(key, load, signal)]).toEqual([null, null]);
    expect(loads).toBe(1);
  });

  it('is renewed once in the background in the last fifth of its life, by whoever asks', async () => {
    const { region, clock, statistics } = startProcess({ declaration: { ...here, ttlMs: 100_000 } });
    const source = slowSource(clock);
    await passing(clock, 100, region.get(key, source.load, signal));
    await clock.advance(80_000);

    const atOnce = await Promise.all(Array.from({ length: 10 }, () => region.get(key, source.load, signal)));
    await clock.advance(100);
    const later = await region.get(key, source.load, signal);

    expect(new Set(atOnce)).toEqual(new Set(['value 1']));
    expect(later).toBe('value 2');
    expect(source.loads).toBe(2);
    expect(statistics()).toMatchObject({ hits: 11, misses: 1, loads: 2 });
  });

  it('is not renewed ahead when it has to live exactly so long', async () => {
    const { region, clock } = startProcess({ declaration: { ...here, exact: true } });
    const source = slowSource(clock, 0);
    await passing(clock, 0, region.get(key, source.load, signal));

    await clock.advance(hourMs - 1);
    await region.get(key, source.load, signal);

    expect(source.loads).toBe(1);
  });
});

describe('a load', () => {
  it('is shared by a thousand who ask at the same time', async () => {
    const { region, clock, statistics } = startProcess();
    const source = slowSource(clock);

    const asking = Array.from({ length: 1_000 }, () => region.get(key, source.load, signal));
    await clock.advance(100);

    expect(new Set(await Promise.all(asking))).toEqual(new Set(['value 1']));
    expect(source.loads).toBe(1);
    expect(statistics()).toMatchObject({ hits: 0, misses: 1_000, loads: 1 });
  });

  it('goes on when a caller leaves, who leaves at once', async () => {
    const { region, clock } = startProcess();
    const source = slowSource(clock);
    const leaving = new AbortController();

    const left = region.get(key, source.load, leaving.signal);
    const stays = region.get(key, source.load, signal);
    leaving.abort(new Error('gone'));

    await expect(left).rejects.toThrow('gone');
    expect(await passing(clock, 100, stays)).toBe('value 1');
    expect(source.loads).toBe(1);
  });

  it('goes on when all have left, and what it brings is kept', async () => {
    const { region, clock } = startProcess();
    const source = slowSource(clock);
    const leaving = new AbortController();
    const left = region.get(key, source.load, leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');

    await clock.advance(100);

    expect(await region.get(key, source.load, signal)).toBe('value 1');
    expect(source.loads).toBe(1);
  });

  it('is not begun for a caller who has left before', async () => {
    const { region, clock } = startProcess();
    const source = slowSource(clock);

    await expect(region.get(key, source.load, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');

    expect(source.loads).toBe(0);
  });

  it('ends by its own time, also when it does not listen, and the next caller tries again', async () => {
    const { region, clock, statistics } = startProcess();
    let told: AbortSignal | undefined;
    const deaf = (loadSignal: AbortSignal) => {
      told = loadSignal;
      return new Promise<string>(() => {});
    };

    const waiting = passing(clock, 30_000, region.get(key, deaf, signal));

    await expect(waiting).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(told?.aborted).toBe(true);
    expect(await region.get(key, async () => 'better', signal)).toBe('better');
    expect(statistics()).toMatchObject({ misses: 2, loads: 2, load_failures: 1 });
    expect(clock.timers).toBe(0);
  });

  it('that fails is told to all who wait, and kept by nobody', async () => {
    const { region, clock } = startProcess();
    const source = slowSource(clock);
    source.fails = true;

    const waiting = Promise.allSettled([1, 2].map(() => region.get(key, source.load, signal)));
    const outcomes = await passing(clock, 100, waiting);
    source.fails = false;

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await passing(clock, 100, region.get(key, source.load, signal))).toBe('value 2');
  });
});

describe('an old value', () => {
  const declaration = { ...here, ttlMs: 10 * minuteMs, staleMs: 5 * minuteMs, exact: true };

  async function openWithOld() {
    const process = startProcess({ declaration });
    const source = slowSource(process.clock);
    const get = () => process.region.get(key, source.load, signal);
    await passing(process.clock, 100, get());
    source.fails = true;
    await process.clock.advance(10 * minuteMs);
    return { ...process, source, get };
  }

  it('is given out while the source fails, at once for five seconds after each try', async () => {
    const { clock, source, get, statistics, logged } = await openWithOld();

    const waited = await passing(clock, 100, get());
    const atOnce = [await get(), await get()];
    await clock.advance(5_000);
    await passing(clock, 100, get());

    expect([waited, ...atOnce]).toEqual(['value 1', 'value 1', 'value 1']);
    expect(source.loads).toBe(3);
    expect(statistics()).toMatchObject({ stale_served: 4, load_failures: 2, hits: 0, misses: 5 });
    expect(logged[0]).toContain('cache.texts: warning: a value could not be made anew');
  });

  it('is not given out longer than its grace, nor once the source answers', async () => {
    const { clock, source, get } = await openWithOld();
    await clock.advance(5 * minuteMs);

    await expect(passing(clock, 100, get())).rejects.toThrow('the source is down');
    source.fails = false;

    expect(await passing(clock, 100, get())).toBe('value 3');
  });

  it('is given to a caller whose time ends before the source has failed, unless it was taken back', async () => {
    const { clock, region, statistics } = await openWithOld();
    const hang = () => new Promise<string>(() => {});
    const ask = async () => {
      using deadline = startDeadline(clock, 1_000);
      return await region.get(key, hang, deadline.signal);
    };

    expect(await passing(clock, 1_000, ask())).toBe('value 1');
    expect(statistics()).toMatchObject({ stale_served: 1, misses: 2 });
    const asked = ask();
    void region.delete(key);
    await expect(passing(clock, 1_000, asked)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });

  it('is not given out at all where nothing is said of a grace', async () => {
    const { region, clock } = startProcess({ declaration: { ...here, exact: true } });
    const source = slowSource(clock);
    await passing(clock, 100, region.get(key, source.load, signal));
    source.fails = true;
    await clock.advance(hourMs);

    await expect(passing(clock, 100, region.get(key, source.load, signal))).rejects.toThrow('down');
  });

  it('keeps a source that fails from being asked by each caller also while the value still does', async () => {
    const { region, clock } = startProcess({ declaration: { ...here, ttlMs: 100_000 } });
    const source = slowSource(clock);
    await passing(clock, 100, region.get(key, source.load, signal));
    source.fails = true;
    await clock.advance(80_000);

    await passing(clock, 100, region.get(key, source.load, signal));
    await passing(clock, 100, region.get(key, source.load, signal));

    expect(source.loads).toBe(2);
  });
});

describe('taking back', () => {
  it.each(['delete', 'invalidate'] as const)('by %s forgets the value at once', async (method) => {
    const { region, clock } = startProcess();
    const source = slowSource(clock);
    await passing(clock, 100, region.get(key, source.load, signal));

    const done = region[method](key);
    const next = region.get(key, source.load, signal);

    expect(await passing(clock, 100, next)).toBe('value 2');
    expect(await done).toBe(true);
  });

  it.each(['delete', 'invalidate'] as const)('by %s wins over a load that runs', async (method) => {
    const { region, clock } = startProcess();
    const source = slowSource(clock);

    const before = region.get(key, source.load, signal);
    await clock.advance(50);
    await region[method](key);
    const after = region.get(key, source.load, signal);
    await clock.advance(100);
    const kept = await region.get(key, source.load, signal);

    expect([await before, await after, kept]).toEqual(['value 1', 'value 2', 'value 2']);
    expect(source.loads).toBe(2);
  });

  it('by set puts the new value there, also while an old one is being loaded', async () => {
    const { region, clock } = startProcess();
    const source = slowSource(clock);

    const before = region.get(key, source.load, signal);
    await clock.advance(50);
    await region.set(key, 'written');
    await clock.advance(100);

    expect(await before).toBe('value 1');
    expect(await region.get(key, source.load, signal)).toBe('written');
  });

  it('by prefix takes what begins with the same parts, and nothing else', async () => {
    const { region } = startProcess();
    const keys = [cacheKey('a', 'b'), cacheKey('a', 'b', 1), cacheKey('a', 'bc'), cacheKey('ab')];
    for (const one of keys) await region.set(one, 'old');

    await region.invalidate(cacheKey('a', 'b'));
    const values = await Promise.all(keys.map((one) => region.get(one, async () => 'new', signal)));

    expect(values).toEqual(['new', 'new', 'old', 'old']);
  });

  it.each([[['x'.repeat(128)]], [['a', 'x'.repeat(300)]]] as [[string, ...string[]]][])(
    'by a prefix that is too long is refused',
    async (parts) => {
      await expect(startProcess().region.invalidate(cacheKey(...parts))).rejects.toThrow(RangeError);
    },
  );
});

describe('memory', () => {
  it('stays within its bytes by forgetting what was not used for longest', async () => {
    const { region, statistics } = startProcess({ declaration: { ...here, maxBytes: 10_000 } });
    const kilobyte = 'x'.repeat(1_000);
    const keys = Array.from({ length: 20 }, (_, number) => cacheKey(number));

    for (const one of keys) await region.set(one, kilobyte);

    const { entries = 0, size_bytes = 0, evictions = 0 } = statistics() ?? {};
    expect(size_bytes).toBeLessThanOrEqual(10_000);
    expect(size_bytes).toBeGreaterThan(entries * 1_000);
    expect([entries + evictions, entries > 5]).toEqual([20, true]);
    const [oldest, newest] = [cacheKey(0), cacheKey(19)];
    expect(await region.get(oldest, async () => 'again', signal)).toBe('again');
    expect(await region.get(newest, async () => 'again', signal)).toBe(kilobyte);
  });

  it('counts two bytes for each character that needs them', async () => {
    const { region, statistics } = startProcess({ declaration: here });

    await region.set(cacheKey('a'), 'x'.repeat(1_000));
    const latin = statistics()?.size_bytes ?? 0;
    await region.set(cacheKey('a'), '€'.repeat(1_000));

    expect((statistics()?.size_bytes ?? 0) - latin).toBeGreaterThanOrEqual(1_000);
  });

  it('does not keep a value that is larger than all of it', async () => {
    const { region, statistics } = startProcess({ declaration: { ...here, maxBytes: 1_000 } });

    await region.set(key, 'x'.repeat(1_001));

    expect(statistics()).toMatchObject({ entries: 0, size_bytes: 0 });
    expect(await region.get(key, async () => 'again', signal)).toBe('again');
  });
});

describe('statistics', () => {
  it('tell of the last quarter of an hour apart, in percent with one decimal', async () => {
    const { region, clock, caches, statistics } = startProcess({ declaration: here });
    const ask = (times: number) =>
      Promise.all(Array.from({ length: times }, () => region.get(key, load, signal)));
    const load = () => sleep(clock, 10).then(() => 'made');

    expect(statistics()).toMatchObject({ hit_rate: null, recent: { lookups: 0, hit_rate: null } });
    await passing(clock, 10, ask(1));
    await ask(2);
    expect(statistics()).toMatchObject({ hit_rate: 66.7, recent: { lookups: 3, hit_rate: 66.7 } });
    await clock.advance(17 * minuteMs);
    await ask(1);

    expect(caches.statistics()).toMatchObject({
      instance: 'i1',
      window_seconds: 900,
      hits: 3,
      misses: 1,
      hit_rate: 75,
      recent: { lookups: 1, hit_rate: 100 },
      entries: 1,
    });
  });

  it('of two regions are summed up, and a name is given once', () => {
    const { caches } = startProcess();

    caches.region({ name: 'others', maxBytes: 1_000, shared: false });

    expect(caches.statistics().regions.map(({ name }) => name)).toEqual(['texts', 'others']);
    expect(() => caches.region({ name: 'others', maxBytes: 1_000, shared: false })).toThrow(TypeError);
  });
});
