import type { Clock } from '../core/index.ts';

/** Lookups and hits of a while. */
export interface Lookups {
  readonly lookups: number;
  readonly hits: number;
}

/** Counts the lookups of the last quarter of an hour. */
export interface LookupWindow {
  count(isHit: boolean): void;
  recent(): Lookups;
}

/** What alerts and the health score look at. */
export const windowSeconds = 15 * 60;
const minuteMs = 60_000;

/** Counts by the minute: the oldest one leaves as a whole, so up to a minute more is counted. */
export function createLookupWindow(clock: Clock): LookupWindow {
  /** One entry for each minute in which something was looked up, oldest first. */
  const minutes: { readonly minute: number; lookups: number; hits: number }[] = [];

  const thisMinute = () => {
    const minute = Math.floor(clock.monotonicMs() / minuteMs);
    const last = minutes.at(-1);
    if (last?.minute === minute) return last;
    const entry = { minute, lookups: 0, hits: 0 };
    minutes.push(entry);
    forgetOld();
    return entry;
  };
  const forgetOld = () => {
    const beginsMs = clock.monotonicMs() - windowSeconds * 1000;
    while (minutes[0] && (minutes[0].minute + 1) * minuteMs <= beginsMs) minutes.shift();
  };

  return {
    count(isHit) {
      const entry = thisMinute();
      entry.lookups += 1;
      if (isHit) entry.hits += 1;
    },
    recent() {
      forgetOld();
      return {
        lookups: minutes.reduce((sum, { lookups }) => sum + lookups, 0),
        hits: minutes.reduce((sum, { hits }) => sum + hits, 0),
      };
    },
  };
}
