import type { Clock } from '../core/index.ts';
import type { BreakerState } from './breaker.ts';
import type { Chaos } from './chaos.ts';
import { type Dependency, type DependencyKind, hasBreaker } from './dependencies.ts';
import type { ResilienceEvent } from './events.ts';
import type { Guard } from './guard.ts';
import { createGuards } from './guards.ts';
import type { BreakerMode, FindOverride } from './override.ts';
import { runWithRetries } from './retry.ts';
import { defaultSettings, type ResilienceSettings } from './settings.ts';

export interface RunOptions {
  /** The caller's deadline: bounds tries and waits, and its reason is thrown as it is. */
  readonly signal: AbortSignal;
  /**
   * False for what must not be done twice: it is then tried again only when it surely was not done. Default true.
   */
  readonly repeatable?: boolean;
  /** Longest time for one try, where the default does not fit. */
  readonly timeoutMs?: number;
  /**
   * True for what an operator needs in order to take an order back: it then passes also where one holds the breaker open.
   * The breaker itself still counts. Default false.
   */
  readonly ignoresOrders?: boolean;
}

/** What a breaker does, and by whose decision. */
export interface BreakerStatus {
  readonly name: Dependency;
  readonly state: BreakerState;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly mode: BreakerMode;
}

/** The one place that decides whether a call to a dependency is made, for how long, and whether again. */
export interface Resilience {
  /**
   * Runs one round trip to a dependency: deadline → retry → breaker → bulkhead → timeout. No slot is held while
   * waiting for a retry.
   *
   * @example
   * await resilience.run('blob', 'stage block', (signal) => client.stageBlock(id, bytes, signal), { signal });
   *
   * @param operation - says in logs what was tried
   * @param fn - one try; stops when its signal aborts
   * @throws AppError `unavailable` when the dependency stays out of reach or is not asked at all; errors that
   * another try does not mend are thrown unchanged
   */
  run<T>(
    dependency: Dependency,
    operation: string,
    fn: (signal: AbortSignal) => Promise<T>,
    options: RunOptions,
  ): Promise<T>;
  /** All breakers, also of the hosts called of late. */
  states(): readonly BreakerStatus[];
  /** Tells that a health check has passed: an open breaker lets its probe through now. */
  noteRecovery(dependency: Dependency): void;
}

interface ResilienceOptions {
  readonly clock: Clock;
  readonly onEvent?: (event: ResilienceEvent) => void;
  /** Overrides of the defaults. */
  readonly settings?: Partial<ResilienceSettings>;
  /** Calls to one dependency that may run at a time, where the default does not fit: as many as its pool has connections. */
  readonly bulkheadSizes?: Partial<Readonly<Record<DependencyKind, number>>>;
  /** What operators have ordered; default: nothing. */
  readonly overrideOf?: FindOverride;
  /** Faults on purpose; default: none. */
  readonly chaos?: Chaos | undefined;
}

/** Makes the policies, one set for each dependency. */
export function createResilience({
  clock,
  onEvent = () => {},
  settings,
  bulkheadSizes = {},
  overrideOf = () => undefined,
  chaos = {},
}: ResilienceOptions): Resilience {
  const around = {
    clock,
    onEvent,
    settings: { ...defaultSettings, ...settings },
    bulkheadSizes,
    overrideOf,
    chaos,
  };
  const guards = createGuards(around);
  const statusOf = ({ dependency, breaker }: Guard): BreakerStatus => {
    const override = overrideOf(dependency);
    if (override) return { name: dependency, state: override.mode, ...override };
    return { name: dependency, ...breaker.state(), mode: 'auto' };
  };
  return {
    run: (dependency, operation, fn, options) => {
      const {
        signal,
        repeatable = true,
        timeoutMs = around.settings.timeoutMs,
        ignoresOrders = false,
      } = options;
      const call = { operation, fn, signal, repeatable, timeoutMs, ignoresOrders };
      return runWithRetries(guards.of(dependency), call, around);
    },
    states: () =>
      guards
        .all()
        .filter(({ dependency }) => hasBreaker(dependency))
        .map(statusOf),
    noteRecovery: (dependency) => guards.peek(dependency)?.breaker.halfOpen(),
  };
}
