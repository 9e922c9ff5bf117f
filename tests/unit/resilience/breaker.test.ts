import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BreakerState, createBreaker } from '../../../src/lib/resilience/breaker.ts';
import { FailedAttempt } from '../../../src/lib/resilience/verdict.ts';
import { fakeClock } from '../../support/fake-clock.ts';

class Rejected extends Error {
  override readonly name = 'Rejected' as const;
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('rejected');
    this.retryAfterMs = retryAfterMs;
  }
}

function setUp(threshold = 5, openMs = 60_000) {
  const clock = fakeClock();
  const changes: BreakerState[] = [];
  const breaker = createBreaker({
    clock,
    threshold,
    openMs,
    onState: (state) => changes.push(state),
    rejection: (retryAfterMs) => new Rejected(retryAfterMs),
  });
  const succeed = () => breaker.execute(async () => 'done');
  const fail = (verdict: FailedAttempt['verdict'] = 'lost') =>
    breaker.execute(() => Promise.reject(new FailedAttempt(verdict, undefined))).catch((error) => error);
  const failTimes = async (times: number) => {
    for (let i = 0; i < times; i++) await fail();
  };
  return { breaker, clock, changes, succeed, fail, failTimes };
}

describe('createBreaker', () => {
  it('opens at the fifth failure in a row and rejects without calling', async () => {
    const { breaker, changes, failTimes } = setUp();

    await failTimes(5);
    let called = false;
    const rejected = await breaker
      .execute(async () => {
        called = true;
      })
      .catch((error: unknown) => error);

    expect(rejected).toEqual(new Rejected(60_000));
    expect(called).toBe(false);
    expect(changes).toEqual(['open']);
  });

  it('forgets failures at a success, and at an answer that proves life', async () => {
    const { breaker, succeed, fail, failTimes } = setUp();

    await failTimes(4);
    await succeed();
    await failTimes(4);
    await fail('answered');
    await failTimes(4);

    expect(breaker.state().state).toBe('closed');
  });

  it('neither counts nor forgets at what says nothing about the service', async () => {
    const { breaker, fail, failTimes } = setUp();

    await failTimes(4);
    await fail('foreign');
    await fail('crowded');
    const before = breaker.state().state;
    await failTimes(1);

    expect([before, breaker.state().state]).toEqual(['closed', 'open']);
  });

  it('lets exactly one probe through after the pause, and rejects the others at once', async () => {
    const { breaker, clock, changes, failTimes } = setUp();
    await failTimes(5);
    await clock.advance(60_000);

    const probe = Promise.withResolvers<string>();
    const first = breaker.execute(() => probe.promise);
    const second = await breaker.execute(async () => 'second').catch((error: unknown) => error);
    probe.resolve('first');

    expect(second).toBeInstanceOf(Rejected);
    expect(await first).toBe('first');
    expect(changes).toEqual(['open', 'half_open', 'closed']);
  });

  it('stays open for another pause when the probe fails', async () => {
    const { breaker, clock, changes, succeed, fail, failTimes } = setUp();
    await failTimes(5);
    await clock.advance(60_000);

    await fail();
    await clock.advance(59_999);
    const early = await succeed().catch((error: unknown) => error);
    await clock.advance(1);

    expect(early).toEqual(new Rejected(1));
    expect(await succeed()).toBe('done');
    expect(changes).toEqual(['open', 'half_open', 'open', 'half_open', 'closed']);
    expect(breaker.state().state).toBe('closed');
  });

  it.each(['foreign', 'crowded'] as const)('stays half open when the probe ends %s', async (verdict) => {
    const { breaker, clock, fail, failTimes, succeed } = setUp();
    await failTimes(5);
    await clock.advance(60_000);

    await fail(verdict);

    expect(breaker.state().state).toBe('half_open');
    expect(await succeed()).toBe('done');
    expect(breaker.state().state).toBe('closed');
  });

  it('closes when the probe is answered with a refusal of the request', async () => {
    const { breaker, clock, fail, failTimes } = setUp();
    await failTimes(5);
    await clock.advance(60_000);

    await fail('answered');

    expect(breaker.state().state).toBe('closed');
  });

  it('half-opens at once when told of a recovery, and only when it is open', async () => {
    const { breaker, clock, changes, failTimes, succeed } = setUp();
    breaker.halfOpen();
    const untouched = breaker.state().state;
    await failTimes(5);
    await clock.advance(10_000);

    breaker.halfOpen();
    const told = breaker.state();
    await succeed();

    expect(untouched).toBe('closed');
    expect(told).toEqual({ state: 'half_open', since: clock.now() });
    expect(changes).toEqual(['open', 'half_open', 'closed']);
  });

  it('tells since when its state has held, also when the pause has ended unseen', async () => {
    const { breaker, clock, failTimes } = setUp();
    const bornAt = clock.now();
    await failTimes(5);
    await clock.advance(61_000);

    const state = breaker.state();

    expect(state).toEqual({ state: 'half_open', since: bornAt + 60_000 });
  });

  it('does not mind a wall clock that jumps', async () => {
    const { breaker, clock, failTimes, succeed } = setUp();
    await failTimes(5);

    clock.jump(24 * 3_600_000);
    const forward = breaker.state().state;
    clock.jump(-48 * 3_600_000);
    await clock.advance(60_000);

    expect(forward).toBe('open');
    expect(await succeed()).toBe('done');
  });

  it('never opens with a threshold of zero', async () => {
    const { breaker, failTimes } = setUp(0);

    await failTimes(50);

    expect(breaker.state().state).toBe('closed');
  });

  it('behaves as the model says, whatever happens', async () => {
    const step = fc.oneof(
      fc.constantFrom('success', 'lost', 'refused', 'broken', 'answered', 'clashed', 'foreign', 'recovered'),
      fc.integer({ min: 1, max: 90_000 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, threshold) => {
          const { breaker, clock, succeed, fail } = setUp(threshold, 60_000);
          const model = { failures: 0, openUntil: undefined as number | undefined };

          for (const what of steps) {
            if (typeof what === 'number') await clock.advance(what);
            else if (what === 'recovered') {
              breaker.halfOpen();
              if (model.openUntil !== undefined)
                model.openUntil = Math.min(model.openUntil, clock.monotonicMs());
            } else {
              const result = await (what === 'success'
                ? succeed().catch((error: unknown) => error)
                : fail(what as FailedAttempt['verdict']));
              const probing = model.openUntil !== undefined && model.openUntil <= clock.monotonicMs();
              const rejected = model.openUntil !== undefined && !probing;
              expect(result instanceof Rejected).toBe(rejected);
              if (!rejected) judge(what, probing);
            }
            expect(breaker.state().state).toBe(stateOfModel());
          }

          function judge(what: string, probing: boolean) {
            if (['success', 'answered', 'clashed'].includes(what))
              Object.assign(model, { failures: 0, openUntil: undefined });
            else if (what !== 'foreign' && (probing || ++model.failures >= threshold)) {
              Object.assign(model, { failures: 0, openUntil: clock.monotonicMs() + 60_000 });
            }
          }
          function stateOfModel(): BreakerState {
            if (model.openUntil === undefined) return 'closed';
            return model.openUntil > clock.monotonicMs() ? 'open' : 'half_open';
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
