import * as z from 'zod';
import type { RegionDeclaration } from '../../../src/lib/cache/declaration.ts';
import { type CacheKey, cacheKey, type Region } from '../../../src/lib/cache/index.ts';
import type { CacheTable } from '../../../src/lib/cache/shared-table.ts';
import { sleep } from '../../../src/lib/core/index.ts';
import { cachesOn } from '../../support/caches.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const key: CacheKey = cacheKey('a');
export const { signal } = new AbortController();

interface ProcessOptions {
  readonly clock?: FakeClock;
  readonly table?: CacheTable;
  readonly declaration?: Partial<RegionDeclaration<string>>;
}

/** One process with one region of texts, shared unless said otherwise, and a source that says `value 1`, `value 2`, … */
export function startProcess({
  clock = fakeClock(),
  table = memoryTableStore(),
  declaration = {},
}: ProcessOptions = {}) {
  const { caches, logged } = cachesOn(clock, table);
  const region: Region<string> = caches.region({
    name: 'texts',
    maxBytes: 100_000,
    shared: true,
    shape: z.string(),
    ...declaration,
  } as RegionDeclaration<string>);
  return { clock, table, caches, logged, region, statistics: () => caches.statistics().regions[0] };
}

/** A source that takes its time and answers `value 1`, `value 2`, …; `fails` makes it fail. */
export function slowSource(clock: FakeClock, tookMs = 100) {
  const source = {
    loads: 0,
    fails: false,
    load: async (loadSignal: AbortSignal) => {
      const number = ++source.loads;
      await sleep(clock, tookMs, loadSignal);
      if (source.fails) throw new Error('the source is down');
      return `value ${number}`;
    },
  };
  return source;
}

/** Waits for work that needs time to pass. */
export async function passing<T>(clock: FakeClock, ms: number, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  await clock.advance(ms);
  return work;
}

/** A call that fails, and one that never ends. */
export const fail = () => Promise.reject(new Error('the table is down'));
export const hang = () => new Promise<never>(() => {});
