import { describe, expect, it } from 'vitest';
import {
  createResilience,
  type Dependency,
  type ResilienceEvent,
} from '../../../src/lib/resilience/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { failing, settle, signal } from './set-up.ts';

/** Policies under faults; `randoms` are given out one after the other, then 0.5 for ever. */
function setUp(chaos: Record<string, { faultRate: number; latencyMs: number }>, ...randoms: number[]) {
  const clock = fakeClock({ random: () => randoms.shift() ?? 0.5 });
  const events: ResilienceEvent[] = [];
  const resilience = createResilience({ clock, chaos, onEvent: (event) => events.push(event) });
  const run = (dependency: Dependency, unit = failing(), options = {}) =>
    settle(resilience.run(dependency, 'ask', unit.run, { signal, ...options }), clock);
  return { clock, events, resilience, run };
}

describe('injected faults', () => {
  it('fail the given share of tries, which are retried as any other', async () => {
    // A fault, the wait after it, and a try that is spared.
    const { events, run } = setUp({ blob: { faultRate: 0.3, latencyMs: 0 } }, 0.29, 0.5, 0.3);
    const unit = failing();

    const result = await run('blob', unit);

    expect([result, unit.tries]).toEqual(['done', 1]);
    expect(events).toMatchObject([
      { type: 'retry', dependency: 'blob', error: { name: 'InjectedFaultError', code: 'injected_fault' } },
    ]);
  });

  it('open the breaker and are told as unavailable, also of what must not be done twice', async () => {
    const { events, resilience, run } = setUp({ postgres: { faultRate: 1, latencyMs: 0 } });
    const unit = failing();

    await run('postgres', unit, { repeatable: false });
    const result = await run('postgres', unit);

    expect(result).toMatchObject({ code: 'unavailable' });
    expect(unit.tries).toBe(0);
    expect(resilience.states().find(({ name }) => name === 'postgres')?.state).toBe('open');
    expect(events.filter(({ type }) => type === 'retry')).not.toEqual([]);
  });

  it('leave other dependencies alone, and reach every host', async () => {
    const { run } = setUp({ webhook: { faultRate: 1, latencyMs: 0 } });

    expect(await run('blob')).toBe('done');
    expect(await run('webhook:a.example')).toMatchObject({ code: 'unavailable' });
  });

  it('delay a try within its time limit', async () => {
    const { clock, run } = setUp({ queue: { faultRate: 0, latencyMs: 200 } });
    const unit = failing();
    const startedMs = clock.monotonicMs();
    let finishedMs = 0;

    const running = run('queue', unit).then(() => {
      finishedMs = clock.monotonicMs();
    });
    await running;
    const cutOff = await run('queue', unit, { timeoutMs: 199 });

    expect(finishedMs - startedMs).toBeGreaterThanOrEqual(200);
    expect(unit.tries).toBe(1);
    expect(cutOff).toMatchObject({ code: 'unavailable', cause: { code: 'attempt_timeout' } });
    expect(clock.timers).toBe(0);
  });
});
