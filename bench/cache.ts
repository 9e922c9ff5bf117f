import { readFileSync } from 'node:fs';
import os from 'node:os';
import { LRUCache } from 'lru-cache';
import { runCommand } from '../local/command.ts';
import { type Caches, cacheKey, createCaches } from '../src/lib/cache/index.ts';
import { systemClock } from '../src/lib/core/index.ts';
import { createLogger } from '../src/lib/observability/index.ts';

/*
 * `npm run bench:cache`: what a hit costs beside what one would use otherwise, and what an entry takes of memory beside
 * what is counted for it, as tables for docs/performance.md.
 */

const keys = Array.from({ length: 1_000 }, (_, number) => cacheKey('link', number));
const hitsPerRun = 500_000;
const runs = 7;
const ttlMs = 3_600_000;
const { signal } = new AbortController();

await runCommand(async () => {
  const [cpu] = os.cpus();
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
  console.log(
    `${os.cpus().length} × ${cpu?.model}, Node.js ${process.version}, load ${load} at the start.\n`,
  );
  await compareHits();
  compareSizes();
});

/** One way to get a value that is there. */
type Hit = (key: (typeof keys)[number]) => unknown;

/** The ways take turns, so that whatever else the machine does meets them alike. */
async function compareHits(): Promise<void> {
  const ways: Record<string, Hit> = {
    '`region.get`': await ofRegion(),
    '`fetch` of lru-cache': ofFetch(),
    '`get` of lru-cache with a time to live': ofLru(),
    'a `Map` with a time to live': ofMap(),
  };
  const rates = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let run = 0; run <= runs; run += 1) {
    for (const [name, hit] of Object.entries(ways)) {
      const rate = await hitsPerSecond(hit);
      // The first round warms up.
      if (run > 0) rates.get(name)?.push(rate);
    }
  }
  const own = median(rates.get('`region.get`') ?? []);
  console.log('| a hit by | hits a second | ratio |\n|---|---|---|');
  for (const [name, measured] of rates) {
    const rate = median(measured);
    console.log(`| ${name} | ${(rate / 1e6).toFixed(2)} million | ${(rate / own).toFixed(2)} × |`);
  }
}

async function ofRegion(): Promise<Hit> {
  const region = openCaches().region<object>({ name: 'links', maxBytes: 10_000_000, shared: false });
  for (const key of keys) await region.set(key, { url: key });
  const load = () => Promise.reject(new Error('not a hit'));
  return (key) => region.get(key, load, signal);
}

function ofFetch(): Hit {
  const cache = new LRUCache<string, object>({
    max: 10_000,
    ttl: ttlMs,
    fetchMethod: () => Promise.reject(new Error('not a hit')),
  });
  for (const key of keys) cache.set(key, { url: key });
  return (key) => cache.fetch(key);
}

function ofLru(): Hit {
  const cache = new LRUCache<string, object>({ max: 10_000, ttl: ttlMs });
  for (const key of keys) cache.set(key, { url: key });
  return (key) => cache.get(key);
}

function ofMap(): Hit {
  const cache = new Map<string, { readonly value: object; readonly endsAt: number }>();
  for (const key of keys) cache.set(key, { value: { url: key }, endsAt: Date.now() + ttlMs });
  return (key) => {
    const entry = cache.get(key);
    return entry && entry.endsAt > Date.now() ? entry.value : undefined;
  };
}

async function hitsPerSecond(hit: Hit): Promise<number> {
  const startedMs = performance.now();
  for (let done = 0; done < hitsPerRun; done += keys.length) {
    for (const key of keys) if ((await hit(key)) === undefined) throw new Error(`${key} was not there`);
  }
  return hitsPerRun / ((performance.now() - startedMs) / 1000);
}

/** What the process takes for a full region, and what the region says. */
function compareSizes(): void {
  console.log('\n| a value | counted for an entry | taken | ratio |\n|---|---|---|---|');
  const link = `https://account.blob.core.windows.net/crownsafe-images/x.png?${'a'.repeat(400)}`;
  const values: Record<string, (number: number) => object | number> = {
    'a number': (number) => number + 0.5,
    'a link': (number) => ({ url: `${link}${number}`, expiresAt: number }),
    'ten rows of six fields': (number) => Array.from({ length: 10 }, (_, row) => rowOf(number, row)),
    '5,000 characters beyond Latin': (number) => ({ text: '€'.repeat(5_000) + number }),
  };
  for (const [name, make] of Object.entries(values)) {
    const { counted, taken } = sizeOf(make);
    console.log(`| ${name} | ${counted} B | ${taken} B | ${(counted / taken).toFixed(2)} |`);
  }
}

function rowOf(number: number, row: number) {
  return { id: number, row, name: `name ${number} ${row}`, done: row % 2 === 0, share: row / 7, note: null };
}

function sizeOf(make: (number: number) => unknown) {
  const count = 5_000;
  const caches = openCaches();
  const region = caches.region<unknown>({ name: 'values', maxBytes: 1_000_000_000, shared: false });
  const before = usedBytes();
  for (let number = 0; number < count; number += 1) {
    // Through JSON, as a value comes from elsewhere: one piece, and no template that others share.
    void region.set(cacheKey('value', number), JSON.parse(JSON.stringify(make(number))));
  }
  const taken = Math.round((usedBytes() - before) / count);
  return { counted: Math.round(caches.statistics().size_bytes / count), taken };
}

function usedBytes(): number {
  if (!globalThis.gc) throw new Error('Run this with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function openCaches(): Caches {
  const logger = createLogger({ clock: systemClock, level: 'error', write: console.error });
  const table = () => {
    throw new Error('nothing here is shared');
  };
  return createCaches({ clock: systemClock, logger, table, instance: 'bench' });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
