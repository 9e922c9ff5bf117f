import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Admission,
  type Breaker,
  type BreakerState,
  createBreaker,
} from '../../../src/lib/resilience/breaker.ts';
import type { Verdict } from '../../../src/lib/resilience/verdict.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';

/* The breaker against a model that is as plain as its description, with calls that overlap. */

const openMs = 60_000;

/** What must hold: the state, how many failures in a row, and the calls that are under way. */
interface Model {
  readonly threshold: number;
  state: BreakerState;
  failures: number;
  probeAt: number;
  openings: number;
  /** How each call under way was let through. */
  readonly underWay: Admission[];
}

interface Real {
  readonly breaker: Breaker;
  readonly clock: FakeClock;
  readonly underWay: Admission[];
}

type Command = fc.AsyncCommand<Model, Real>;

/** A pause ends by itself. */
function settleModel(model: Model, { clock }: Real): void {
  if (model.state === 'open' && clock.monotonicMs() >= model.probeAt) model.state = 'half_open';
}

function expectSame(model: Model, real: Real): void {
  settleModel(model, real);
  expect(real.breaker.state().state).toBe(model.state);
  expect(real.underWay).toEqual(model.underWay);
}

const wait = (ms: number): Command => ({
  check: () => true,
  async run(model, real) {
    await real.clock.advance(ms);
    expectSame(model, real);
  },
  toString: () => `wait ${ms}`,
});

const enter: Command = {
  check: () => true,
  async run(model, real) {
    settleModel(model, real);
    const passes =
      model.state === 'closed' || (model.state === 'half_open' && !model.underWay.includes('probe'));

    let passed = true;
    try {
      real.underWay.push(real.breaker.enter());
    } catch {
      passed = false;
    }

    if (passes) model.underWay.push(model.state === 'closed' ? model.openings : 'probe');
    expect(passed).toBe(passes);
    expectSame(model, real);
  },
  toString: () => 'enter',
};

const leave = (which: number, verdict: Verdict | undefined): Command => ({
  check: ({ underWay }) => underWay.length > 0,
  async run(model, real) {
    settleModel(model, real);
    const index = which % model.underWay.length;
    const [admission] = model.underWay.splice(index, 1);
    const [held] = real.underWay.splice(index, 1);

    real.breaker.leave(held ?? 0, verdict);

    if (admission === 'probe' || admission === model.openings) judge(model, real, admission, verdict);
    expectSame(model, real);
  },
  toString: () => `leave ${which} ${verdict ?? 'done'}`,
});

function judge(model: Model, { clock }: Real, admission: Admission | undefined, verdict?: Verdict): void {
  if (verdict === undefined || verdict === 'answered' || verdict === 'clashed') {
    Object.assign(model, { state: 'closed', failures: 0 });
  } else if (verdict !== 'foreign' && verdict !== 'crowded') {
    model.failures++;
    if (admission === 'probe' || model.failures === model.threshold)
      Object.assign(model, {
        state: 'open',
        failures: 0,
        openings: model.openings + 1,
        probeAt: clock.monotonicMs() + openMs,
      });
  }
}

const recover: Command = {
  check: () => true,
  async run(model, real) {
    real.breaker.halfOpen();
    if (model.state === 'open') model.state = 'half_open';
    expectSame(model, real);
  },
  toString: () => 'recover',
};

const verdicts = [
  'refused',
  'lost',
  'broken',
  'clashed',
  'answered',
  'crowded',
  'foreign',
  undefined,
] as const;

describe('a breaker and its model', () => {
  it('agree after whatever happens', async () => {
    const commands = fc.commands<Model, Real, false>(
      [
        fc.constant(enter),
        fc.constant(recover),
        fc.integer({ min: 1, max: 90_000 }).map(wait),
        fc
          .tuple(fc.nat({ max: 5 }), fc.constantFrom(...verdicts))
          .map(([which, verdict]) => leave(which, verdict)),
        fc
          .tuple(fc.nat({ max: 5 }), fc.constantFrom('lost', 'refused'))
          .map(([which, verdict]) => leave(which, verdict)),
      ],
      { maxCommands: 60 },
    );
    await fc.assert(
      fc.asyncProperty(commands, fc.integer({ min: 1, max: 3 }), (steps, threshold) =>
        fc.asyncModelRun(() => start(threshold), steps),
      ),
      { numRuns: 300 },
    );
  });
});

function start(threshold: number): { model: Model; real: Real } {
  const clock = fakeClock();
  const breaker = createBreaker({
    clock,
    threshold,
    openMs,
    onState: () => {},
    rejection: () => new Error('rejected'),
  });
  return {
    model: { threshold, state: 'closed', failures: 0, openings: 0, probeAt: 0, underWay: [] },
    real: { breaker, clock, underWay: [] },
  };
}
