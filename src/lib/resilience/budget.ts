import type { Clock } from '../core/index.ts';

/** How many of the calls may be retries, so that retries do not bury a service that is already short of breath. */
export interface RetryBudget {
  noteCall(): void;
  /** Takes one retry out of the budget; false when there is none left. */
  take(): boolean;
}

const windowMs = 60_000;

/**
 * @param minimum - retries per minute that are always granted, so that a lone caller is not starved
 * @param share - retries per call beyond that
 */
export function createRetryBudget(clock: Clock, minimum: number, share: number): RetryBudget {
  /** One entry per second in which something happened, oldest first. */
  const seconds: { readonly second: number; calls: number; retries: number }[] = [];

  const thisSecond = () => {
    const nowMs = clock.monotonicMs();
    while (seconds[0] && (seconds[0].second + 1) * 1000 <= nowMs - windowMs) seconds.shift();
    const second = Math.floor(nowMs / 1000);
    const last = seconds.at(-1);
    if (last?.second === second) return last;
    const entry = { second, calls: 0, retries: 0 };
    seconds.push(entry);
    return entry;
  };

  return {
    noteCall() {
      thisSecond().calls++;
    },
    take() {
      const current = thisSecond();
      const calls = seconds.reduce((sum, entry) => sum + entry.calls, 0);
      const retries = seconds.reduce((sum, entry) => sum + entry.retries, 0);
      if (retries >= Math.max(minimum, share * calls)) return false;
      current.retries++;
      return true;
    },
  };
}
