import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/lib/core/index.ts';

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /** Lets time pass: fires what is due, in order, and lets the work that this wakes go on before the next timer. */
  advance(ms: number): Promise<void>;
  /** Lets time pass as for a process that stands still: what is due fires only when it goes on. */
  freeze(ms: number): Promise<void>;
  /** Moves the wall clock only, as a time server would. */
  jump(ms: number): void;
  /** Timers that are waiting: 0 when nothing was left behind. */
  readonly timers: number;
}

/**
 * @param options - `random` answers the clock's `random()`; `startAt` is the wall clock in epoch milliseconds
 */
export function fakeClock(options: { random?: () => number; startAt?: number } = {}): FakeClock {
  let wallMs = options.startAt ?? Date.UTC(2026, 0, 1);
  let steadyMs = 0;
  const waiting = new Set<{ at: number; fire: () => void }>();
  const pass = (toMs: number) => {
    wallMs += toMs - steadyMs;
    steadyMs = toMs;
  };
  const clock: FakeClock = {
    now: () => wallMs,
    monotonicMs: () => steadyMs,
    random: options.random ?? (() => 0.5),
    after(delayMs, callback) {
      // As a real timer does, it goes on in the context in which it was set.
      const timer = { at: steadyMs + delayMs, fire: AsyncLocalStorage.bind(callback) };
      waiting.add(timer);
      return () => waiting.delete(timer);
    },
    async advance(ms) {
      const endMs = steadyMs + ms;
      await setImmediate();
      for (;;) {
        const next = [...waiting].filter((timer) => timer.at <= endMs).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        waiting.delete(next);
        pass(Math.max(steadyMs, next.at));
        next.fire();
        await setImmediate();
      }
      pass(endMs);
    },
    freeze(ms) {
      pass(steadyMs + ms);
      return clock.advance(0);
    },
    jump(ms) {
      wallMs += ms;
    },
    get timers() {
      return waiting.size;
    },
  };
  return clock;
}
