import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cacheKey } from '../../../src/lib/cache/index.ts';
import { type Clock, sleep, systemClock } from '../../../src/lib/core/index.ts';
import { cachesOn } from '../../support/caches.ts';
import { toArray } from '../../support/to-array.ts';
import { openStorage } from '../storage/open-storage.ts';

const { signal } = new AbortController();
const key = cacheKey('report', { from: '2026-01-01', 'ünïcode/?#\\': '%' });
const shape = z.object({ rows: z.number(), text: z.string() });
const minuteMs = 60_000;

/** Real time, of which some has already passed. */
function aheadOf(clock: Clock, ms: number): Clock {
  return { ...clock, now: () => clock.now() + ms, monotonicMs: () => clock.monotonicMs() + ms };
}

/** Instances that share nothing but a table of Azurite, as in the cloud. */
function openTable() {
  const tableName = `c${randomUUID().replaceAll('-', '')}`;
  const { storage } = openStorage();
  const startInstance = (clock: Clock = systemClock) => {
    // Azurite on a busy machine is slower than we would wait for; a first call makes the table, too.
    const patient: Clock = { ...clock, after: (ms, ...rest) => clock.after(ms * 20, ...rest) };
    const { caches, logged } = cachesOn(patient, openStorage().storage.table(tableName));
    const region = caches.region({ name: 'reports', maxBytes: 1_000_000, shared: true, shape });
    return { region, logged, statistics: () => caches.statistics().regions[0] };
  };
  const rows = () => toArray(storage.table(tableName).query({ partitionKey: 'reports' }, { signal }));
  return { startInstance, rows };
}

/** A source that takes more than 50 ms, and tells how often it was asked. */
function slowSource() {
  const source = {
    loads: 0,
    async load(loadSignal: AbortSignal) {
      source.loads += 1;
      await sleep(systemClock, 60, loadSignal);
      return { rows: source.loads, text: "it's ünïcode ✓ \u0000 \ud83d\ude00" };
    },
  };
  return source;
}

describe('two instances before one table', () => {
  it('make a value once, and take it back for both', async () => {
    const { startInstance, rows } = openTable();
    const [a, b] = [startInstance(), startInstance()];
    const source = slowSource();

    const made = await a.region.get(key, source.load, signal);
    await expect.poll(async () => (await rows()).length, { timeout: 10_000 }).toBe(1);
    const found = await b.region.get(key, source.load, signal);

    expect(found).toEqual(made);
    expect(source.loads).toBe(1);
    expect(b.statistics()).toMatchObject({ table_hits: 1, loads: 0 });

    expect(await a.region.delete(key)).toBe(true);
    const later = startInstance(aheadOf(systemClock, minuteMs));
    expect(await later.region.get(key, source.load, signal)).toMatchObject({ rows: 2 });
    expect([...a.logged, ...b.logged, ...later.logged]).toEqual([]);
  });

  it('do not bring a value back that was taken back while one of them made it', async () => {
    const { startInstance, rows } = openTable();
    const [a, b] = [startInstance(), startInstance()];
    const source = slowSource();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();

    const old = b.region.get(
      key,
      async (loadSignal) => {
        begin();
        await mayEnd;
        return source.load(loadSignal);
      },
      signal,
    );
    await begun;
    expect(await a.region.delete(key)).toBe(true);
    end();
    expect(await old).toMatchObject({ rows: 1 });
    // Its write is refused by the table; a later value of the same instance is not, and comes after it.
    const other = cacheKey('other');
    await b.region.set(other, { rows: 0, text: '' });

    expect(await a.region.get(key, source.load, signal)).toMatchObject({ rows: 2 });
    await expect
      .poll(async () => (await rows()).map(({ entity }) => entity['value']), { timeout: 10_000 })
      .toContainEqual(expect.stringContaining('"rows":2'));
  });

  it('take back by prefix what lies in the table, and give what was written through', async () => {
    const { startInstance } = openTable();
    const [a, b] = [startInstance(), startInstance()];
    const keys = [cacheKey('u', 1), cacheKey('u', 2, 'x'), cacheKey('v', 1)];
    for (const one of keys) expect(await a.region.set(one, { rows: 7, text: 'written' })).toBe(true);

    expect(await a.region.invalidate(cacheKey('u'))).toBe(true);
    const given = await Promise.all(
      keys.map((one) => b.region.get(one, async () => ({ rows: 0, text: 'made' }), signal)),
    );

    expect(given.map(({ text }) => text)).toEqual(['made', 'made', 'written']);
  });

  it('keep a value of the longest size a column takes', async () => {
    const { startInstance } = openTable();
    const [a, b] = [startInstance(), startInstance()];
    // ASCII: Azurite reads a long body in pieces and tears characters of more than one byte apart.
    const text = 'x'.repeat(32_768 - JSON.stringify({ rows: 1, text: '' }).length);

    expect(await a.region.set(key, { rows: 1, text })).toBe(true);

    expect(await b.region.get(key, slowSource().load, signal)).toEqual({ rows: 1, text });
    expect(a.logged).toEqual([]);
  });
});
