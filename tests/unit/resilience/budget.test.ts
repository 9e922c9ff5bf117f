import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRetryBudget } from '../../../src/lib/resilience/budget.ts';
import { fakeClock } from '../../support/fake-clock.ts';

describe('createRetryBudget', () => {
  it('grants a lone caller its minimum every minute', async () => {
    const clock = fakeClock();
    const budget = createRetryBudget(clock, 10, 0.2);
    budget.noteCall();

    const first = Array.from({ length: 12 }, () => budget.take());
    await clock.advance(61_000);
    const later = budget.take();

    expect(first.filter(Boolean)).toHaveLength(10);
    expect(later).toBe(true);
  });

  it('grants a fifth of the calls when there are many', () => {
    const budget = createRetryBudget(fakeClock(), 10, 0.2);
    for (let call = 0; call < 1000; call++) budget.noteCall();

    const granted = Array.from({ length: 1000 }, () => budget.take()).filter(Boolean);

    expect(granted).toHaveLength(200);
  });

  it('grants nothing when both numbers are zero', () => {
    const budget = createRetryBudget(fakeClock(), 0, 0);
    budget.noteCall();

    expect(budget.take()).toBe(false);
  });

  it('grants exactly what the last minute allows, whatever the calls', async () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 20_000 }),
      calls: fc.integer({ min: 0, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = fakeClock();
        const budget = createRetryBudget(clock, 10, 0.2);
        const calls: number[] = [];
        const retries: number[] = [];
        const within = (times: number[], ms: number) =>
          times.filter((at) => at > clock.monotonicMs() - ms).length;

        for (const { waitMs, calls: count } of steps) {
          await clock.advance(waitMs);
          for (let i = 0; i < count; i++) {
            calls.push(clock.monotonicMs());
            budget.noteCall();
            // Whole seconds are counted, so the window is between 60 and 61 s long.
            const before = { short: within(retries, 60_000), long: within(retries, 61_000) };
            const granted = budget.take();
            if (granted) expect(before.short).toBeLessThan(Math.max(10, 0.2 * within(calls, 61_000)));
            else expect(before.long).toBeGreaterThanOrEqual(Math.max(10, 0.2 * within(calls, 60_000)));
            if (granted) retries.push(clock.monotonicMs());
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
