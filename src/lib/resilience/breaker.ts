import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { Clock } from '../core/index.ts';
import { countsAsFailure, provesLife, verdictOf } from './verdict.ts';

/** `closed`: calls pass; `open`: calls are rejected; `half_open`: the next call is a probe and decides. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** Stops asking a dependency that has failed several times in a row. */
export interface Breaker {
  execute<T>(fn: () => Promise<T>): Promise<T>;
  /** `since` is in milliseconds since the epoch. */
  state(): { readonly state: BreakerState; readonly since: number };
  /** Ends the pause of an open breaker: the next call is the probe. */
  halfOpen(): void;
}

export interface BreakerOptions {
  readonly clock: Clock;
  /** Failures in a row that open it; 0 for a breaker that never opens. */
  readonly threshold: number;
  readonly openMs: number;
  readonly onState: (state: BreakerState) => void;
  /** Makes the error for a call that is not let through. */
  readonly rejection: (retryAfterMs: number) => Error;
}

/**
 * A breaker of cockatiel that runs on our clock and knows three outcomes: failure, proof of life, and neither. A
 * probe that proves neither leaves the breaker half open.
 */
export function createBreaker({ clock, threshold, openMs, onState, rejection }: BreakerOptions): Breaker {
  let probeAt = 0;
  const pauseLeftMs = () => Math.max(0, probeAt - clock.monotonicMs());
  const counter = new ConsecutiveBreaker(threshold || Number.POSITIVE_INFINITY);
  // cockatiel asks for the length of the pause on every call, and compares it with the system's clock; so ours decides.
  const pause = {
    get duration() {
      return pauseLeftMs() > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    },
    next({ result }: { result: { error: unknown } | { value: unknown } }) {
      if ('error' in result && countsAsFailure(verdictOf(result.error)))
        probeAt = clock.monotonicMs() + openMs;
      return pause;
    },
  };
  const handled = handleWhen((error) => {
    const verdict = verdictOf(error);
    if (provesLife(verdict)) counter.success();
    const probing = policy.state === CircuitState.HalfOpen;
    return countsAsFailure(verdict) || (probing && !provesLife(verdict));
  });
  const policy = circuitBreaker(handled, { halfOpenAfter: pause, breaker: counter });

  let announced: { state: BreakerState; since: number } = { state: 'closed', since: clock.now() };
  const current = (): BreakerState => {
    if (policy.state === CircuitState.Closed) return 'closed';
    return policy.state === CircuitState.Open && pauseLeftMs() > 0 ? 'open' : 'half_open';
  };
  const announce = () => {
    const state = current();
    if (state === announced.state) return;
    announced = { state, since: clock.now() };
    onState(state);
  };
  policy.onStateChange(announce);

  return {
    async execute(fn) {
      const mayPass =
        policy.state === CircuitState.Closed || (policy.state === CircuitState.Open && pauseLeftMs() === 0);
      // cockatiel would let callers wait for the probe; they are told at once.
      if (!mayPass) throw rejection(pauseLeftMs());
      return policy.execute(fn);
    },
    state() {
      // Nothing happens at the moment the pause ends, so it is told when asked.
      if (current() === announced.state) return announced;
      return { state: current(), since: clock.now() - (clock.monotonicMs() - probeAt) };
    },
    halfOpen() {
      if (policy.state !== CircuitState.Open) return;
      probeAt = Math.min(probeAt, clock.monotonicMs());
      announce();
    },
  };
}
