import type { Clock } from '../core/index.ts';
import { createLookupWindow, type Lookups } from './lookup-window.ts';

/** Counts what a region does; what counts as what is said at the shape of the statistics. */
export interface Tally {
  /** A caller was given a value that memory held. */
  hit(): void;
  /** A caller was given a value that the table held. */
  tableHit(): void;
  /** A caller waited for the source, whatever came of it. */
  miss(): void;
  /** A caller was given an old value, because the source fails. */
  stale(): void;
  load(): void;
  loadFailure(): void;
  recent(): Lookups;
  counts(): Counts;
}

interface Counts {
  readonly hits: number;
  readonly misses: number;
  readonly table_hits: number;
  readonly stale_served: number;
  readonly loads: number;
  readonly load_failures: number;
}

export function createTally(clock: Clock): Tally {
  const window = createLookupWindow(clock);
  const counts = { hits: 0, misses: 0, table_hits: 0, stale_served: 0, loads: 0, load_failures: 0 };
  const countLookup = (isHit: boolean) => {
    counts[isHit ? 'hits' : 'misses'] += 1;
    window.count(isHit);
  };
  return {
    hit: () => countLookup(true),
    tableHit() {
      countLookup(true);
      counts.table_hits += 1;
    },
    miss: () => countLookup(false),
    stale() {
      countLookup(false);
      counts.stale_served += 1;
    },
    load() {
      counts.loads += 1;
    },
    loadFailure() {
      counts.load_failures += 1;
    },
    recent: window.recent,
    counts: () => ({ ...counts }),
  };
}

/** A share in percent with one decimal; null of nothing. */
export function percentage(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 1000) / 10;
}
