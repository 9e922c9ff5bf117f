import { describe, expect, it } from 'vitest';
import { type BreakerState, createBreaker } from '../../../src/lib/resilience/breaker.ts';
import type { Verdict } from '../../../src/lib/resilience/verdict.ts';
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
  /** A call that ends as told: the error when it was not let through. */
  const call = (verdict?: Verdict): 'call' | 'probe' | Rejected => {
    try {
      const admission = breaker.enter();
      breaker.leave(admission, verdict);
      return admission === 'probe' ? 'probe' : 'call';
    } catch (error) {
      if (error instanceof Rejected) return error;
      throw error;
    }
  };
  const failTimes = (times: number) => {
    for (let i = 0; i < times; i++) call('lost');
  };
  return { breaker, clock, changes, call, failTimes };
}

describe('createBreaker', () => {
  it('opens at the fifth failure in a row and lets nobody through', () => {
    const { call, changes, failTimes } = setUp();

    failTimes(4);
    const before = [...changes];
    failTimes(1);

    expect(before).toEqual([]);
    expect(call()).toEqual(new Rejected(60_000));
    expect(changes).toEqual(['open']);
  });

  it.each([
    ['a success', undefined],
    ['a refusal of the request', 'answered'],
    ['a collision', 'clashed'],
  ] as const)('forgets failures at %s', (_, verdict) => {
    const { breaker, call, failTimes } = setUp();

    failTimes(4);
    call(verdict);
    failTimes(4);

    expect(breaker.state().state).toBe('closed');
  });

  it('neither counts nor forgets at what says nothing about the service', () => {
    const { breaker, call, failTimes } = setUp();

    failTimes(4);
    call('foreign');
    call('crowded');
    const before = breaker.state().state;
    failTimes(1);

    expect([before, breaker.state().state]).toEqual(['closed', 'open']);
  });

  it('lets exactly one probe through after the pause, and rejects the others at once', async () => {
    const { breaker, call, clock, changes, failTimes } = setUp();
    failTimes(5);
    await clock.advance(60_000);

    const probe = breaker.enter();
    const meanwhile = call();
    breaker.leave(probe);

    expect(probe).toBe('probe');
    expect(meanwhile).toEqual(new Rejected(0));
    expect(call()).toBe('call');
    expect(changes).toEqual(['open', 'half_open', 'closed']);
  });

  it('stays open for another pause when the probe fails', async () => {
    const { breaker, clock, changes, call, failTimes } = setUp();
    failTimes(5);
    await clock.advance(60_000);

    call('lost');
    await clock.advance(59_999);
    const early = call();
    await clock.advance(1);

    expect(early).toEqual(new Rejected(1));
    expect(call()).toBe('probe');
    expect(changes).toEqual(['open', 'half_open', 'open', 'half_open', 'closed']);
    expect(breaker.state().state).toBe('closed');
  });

  it('needs as many failures again after a probe has closed it', async () => {
    const { breaker, clock, call, failTimes } = setUp();
    failTimes(5);
    await clock.advance(60_000);
    call();

    failTimes(4);

    expect(breaker.state().state).toBe('closed');
  });

  it.each(['foreign', 'crowded'] as const)('stays half open when the probe ends %s', async (verdict) => {
    const { breaker, clock, call, failTimes } = setUp();
    failTimes(5);
    await clock.advance(60_000);

    call(verdict);

    expect(breaker.state().state).toBe('half_open');
    expect(call()).toBe('probe');
    expect(breaker.state().state).toBe('closed');
  });

  it('closes when the probe is answered with a refusal of the request', async () => {
    const { breaker, clock, call, failTimes } = setUp();
    failTimes(5);
    await clock.advance(60_000);

    call('answered');

    expect(breaker.state().state).toBe('closed');
  });

  it.each([
    ['well', undefined],
    ['badly', 'lost'],
  ] as const)(
    'does not care how a call ends that was let through before it opened: %s',
    async (_, verdict) => {
      const { breaker, clock, changes, failTimes } = setUp();
      const late = breaker.enter();
      failTimes(5);
      await clock.advance(30_000);

      breaker.leave(late, verdict);
      await clock.advance(30_000);

      expect(changes).toEqual(['open']);
      expect(breaker.enter()).toBe('probe');
    },
  );

  it('does not care either when a probe has closed it meanwhile', async () => {
    const { breaker, call, clock, changes, failTimes } = setUp();
    const late = Array.from({ length: 5 }, () => breaker.enter());
    failTimes(5);
    await clock.advance(60_000);
    call();

    for (const admission of late) breaker.leave(admission, 'lost');

    expect(changes).toEqual(['open', 'half_open', 'closed']);
  });

  it('half-opens at once when told of a recovery, and only when it is open', async () => {
    const { breaker, clock, changes, call, failTimes } = setUp();
    breaker.halfOpen();
    const untouched = breaker.state().state;
    failTimes(5);
    await clock.advance(10_000);

    breaker.halfOpen();
    const told = breaker.state();
    call();

    expect(untouched).toBe('closed');
    expect(told).toEqual({ state: 'half_open', since: clock.now() });
    expect(changes).toEqual(['open', 'half_open', 'closed']);
  });

  it('tells since when its state has held, also when the pause has ended unseen', async () => {
    const { breaker, clock, failTimes } = setUp();
    const bornAt = clock.now();
    failTimes(5);
    await clock.advance(61_000);

    const state = breaker.state();

    expect(state).toEqual({ state: 'half_open', since: bornAt + 60_000 });
  });

  it('does not mind a wall clock that jumps', async () => {
    const { breaker, clock, call, failTimes } = setUp();
    failTimes(5);

    clock.jump(24 * 3_600_000);
    const forward = breaker.state().state;
    clock.jump(-48 * 3_600_000);
    await clock.advance(60_000);

    expect(forward).toBe('open');
    expect(call()).toBe('probe');
  });

  it('never opens with a threshold of zero', () => {
    const { breaker, failTimes } = setUp(0);

    failTimes(50);

    expect(breaker.state().state).toBe('closed');
  });

  it('lets the next call be the probe when it opens for no time at all', () => {
    const { call, failTimes } = setUp(1, 0);

    failTimes(1);

    expect([call('lost'), call(), call()]).toEqual(['probe', 'probe', 'call']);
  });
});
