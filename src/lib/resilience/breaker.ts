import type { Clock } from '../core/index.ts';
import { countsAsFailure, provesLife, type Verdict } from './verdict.ts';

/** `closed`: calls pass; `open`: calls are rejected; `half_open`: the next call is a probe and decides. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** How a call was let through: as the probe, or while closed; the number tells how often it had been open by then. */
export type Admission = 'probe' | number;

/** Stops asking a dependency that has failed several times in a row. */
export interface Breaker {
  /**
   * Lets a call through. Whoever was let through says how it went, whatever happens.
   *
   * @throws what `rejection` makes
   */
  enter(): Admission;
  /** Says how a call that was let through has ended; without a verdict: well. */
  leave(admission: Admission, verdict?: Verdict): void;
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
 * A breaker that knows three outcomes: failure, proof of life, and neither. A probe that proves neither leaves it half
 * open; a call that was let through before it opened decides nothing any more.
 */
export function createBreaker({ clock, threshold, openMs, onState, rejection }: BreakerOptions): Breaker {
  /** Failures in a row, while closed. */
  let failures = 0;
  let openings = 0;
  /** When the pause ends; `undefined` while closed. */
  let probeAt: number | undefined;
  let probing = false;
  let announced: { readonly state: BreakerState; readonly since: number } = {
    state: 'closed',
    since: clock.now(),
  };
  const announce = (state: BreakerState) => {
    if (state === announced.state) return;
    announced = { state, since: clock.now() };
    onState(state);
  };
  const open = () => {
    failures = 0;
    openings++;
    probeAt = clock.monotonicMs() + openMs;
    announce('open');
  };
  const close = () => {
    failures = 0;
    probeAt = undefined;
    announce('closed');
  };

  return {
    enter() {
      if (probeAt === undefined) return openings;
      const pauseLeftMs = Math.max(0, probeAt - clock.monotonicMs());
      if (probing || pauseLeftMs > 0) throw rejection(pauseLeftMs);
      probing = true;
      announce('half_open');
      return 'probe';
    },
    leave(admission, verdict) {
      if (admission === 'probe') probing = false;
      else if (admission !== openings) return;
      if (verdict === undefined || provesLife(verdict)) close();
      else if (!countsAsFailure(verdict)) return;
      else if (admission === 'probe' || ++failures === threshold) open();
    },
    state() {
      // Nothing happens at the moment the pause ends, so it is told when asked.
      const overdueMs =
        announced.state === 'open' && probeAt !== undefined ? clock.monotonicMs() - probeAt : -1;
      return overdueMs < 0 ? announced : { state: 'half_open', since: clock.now() - overdueMs };
    },
    halfOpen() {
      if (probeAt === undefined || announced.state === 'half_open') return;
      probeAt = Math.min(probeAt, clock.monotonicMs());
      announce('half_open');
    },
  };
}
