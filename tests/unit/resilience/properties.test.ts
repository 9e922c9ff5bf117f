import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startDeadline } from '../../../src/lib/core/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { azureError, networkError, sqlError } from './failures.ts';
import { failing, failingForEver, setUp, signal } from './set-up.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** What a try may fail with so that it is tried again; the last one asks for a wait of its own. */
const failure = fc.constantFrom(
  azureError(503, 'ServerBusy'),
  azureError(500, 'InternalError'),
  networkError('ECONNRESET'),
  sqlError('40001'),
  azureError(429, '', { 'retry-after': '3' }),
);

describe('waits', () => {
  it('are random(0, min(8, 2^(n-1))) seconds, or what the service asks for, and end before the deadline', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(failure, { minLength: 1, maxLength: 8 }),
        fc.array(chance, { minLength: 8, maxLength: 8 }),
        fc.integer({ min: 1, max: 40_000 }),
        async (failures, randoms, timeMs) => {
          /** Drawn once for each failed try that does not come with a wish. */
          const drawn: number[] = [];
          const clock = fakeClock({
            random() {
              drawn.push(randoms[drawn.length] ?? 0);
              return drawn.at(-1) ?? 0;
            },
          });
          const waits: { attempt: number; delayMs: number; leftMs: number; asked: boolean }[] = [];
          using deadline = startDeadline(clock, timeMs);
          const resilience = createResilience({
            clock,
            settings: { retries: 8, breakerThreshold: 0 },
            onEvent(event) {
              if (event.type !== 'retry') return;
              const { attempt, delayMs, error } = event;
              const asked = (error as { statusCode?: number }).statusCode === 429;
              waits.push({ attempt, delayMs, leftMs: deadline.remainingMs(), asked });
            },
          });
          let isOver = false;
          const run = resilience
            .run('blob', 'read', failing(...failures).run, { signal: deadline.signal })
            .catch(() => {})
            .finally(() => {
              isOver = true;
            });

          await clock.advance(timeMs);
          await run;

          expect(isOver).toBe(true);
          for (const { attempt, delayMs, leftMs, asked } of waits) {
            expect(delayMs).toBeLessThan(leftMs);
            if (asked) expect(delayMs).toBe(3_000);
            else expect(delayMs).toBe((drawn.shift() ?? 0) * 1000 * Math.min(8, 2 ** (attempt - 1)));
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('the budget', () => {
  it('holds over all calls to a dependency, however they come', async () => {
    const burst = fc.record({
      waitMs: fc.integer({ min: 0, max: 15_000 }),
      failing: fc.integer({ min: 0, max: 12 }),
      working: fc.integer({ min: 0, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(burst, { maxLength: 15 }), chance, async (bursts, random) => {
        const { clock, of, resilience } = setUp({ breakerThreshold: 0, bulkheadSize: 0 }, () => random);
        const calls: number[] = [];
        const retries: number[] = [];
        const running: Promise<unknown>[] = [];
        const call = (unit: { run(signal: AbortSignal): Promise<unknown> }) => {
          calls.push(clock.monotonicMs());
          running.push(resilience.run('blob', 'read', unit.run, { signal }).catch(() => {}));
        };
        const passOneSecond = async () => {
          const before = of('retry').length;
          await clock.advance(1_000);
          for (let i = before; i < of('retry').length; i++) retries.push(clock.monotonicMs());
        };

        for (const { waitMs, failing: bad, working } of bursts) {
          for (let waited = 0; waited < waitMs; waited += 1_000) await passOneSecond();
          for (let i = 0; i < working; i++) call(failing());
          for (let i = 0; i < bad; i++) call(failingForEver(azureError(503)));
        }
        for (let second = 0; second < 20; second++) await passOneSecond();
        await Promise.all(running);

        // Retries are stamped a second late at most, and whole seconds are counted: hence two seconds of slack.
        for (const at of retries) {
          const within = (times: number[], ms: number) =>
            times.filter((time) => time > at - ms && time <= at).length;
          expect(within(retries, 59_000)).toBeLessThanOrEqual(
            Math.max(10, Math.ceil(0.2 * within(calls, 62_000))),
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('never starves a caller who is alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 120_000 }), { maxLength: 20 }),
        chance,
        async (pauses, random) => {
          const { clock, of, resilience } = setUp({ breakerThreshold: 0 }, () => random);

          for (const pauseMs of pauses) {
            const unit = failing(azureError(503), azureError(503), azureError(503));
            const run = resilience.run('queue', 'send', unit.run, { signal }).catch(() => {});
            // Three calls a minute with three retries each stay below what is always granted.
            await clock.advance(21_000 + pauseMs);
            await run;
            expect(unit.tries).toBe(4);
          }

          expect(of('give_up')).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a slot of the bulkhead', () => {
  it('is held by nobody who waits for a retry', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 900 }),
        async (size, waiting, momentMs) => {
          const { clock, resilience, of } = setUp(
            { bulkheadSize: size, bulkheadQueue: 30, breakerThreshold: 0, budgetMinimum: 1_000 },
            () => 0.999,
          );
          const all = Array.from({ length: waiting }, () =>
            resilience.run('blob', 'read', failing(azureError(503)).run, { signal }),
          );
          await clock.advance(momentMs);
          const inWait = of('retry').length;

          // As many as there are slots, all at the same time, and no time passes.
          const gate = Promise.withResolvers<void>();
          let running = 0;
          const others = Array.from({ length: size }, () =>
            resilience.run(
              'blob',
              'read',
              () => {
                running++;
                return gate.promise;
              },
              { signal },
            ),
          );
          const atOnce = running;
          gate.resolve();
          await Promise.all(others);
          await clock.advance(1_000);

          expect([inWait, atOnce]).toEqual([waiting, size]);
          expect(await Promise.all(all)).toEqual(all.map(() => 'done'));
        },
      ),
      { numRuns: 60 },
    );
  });
});
