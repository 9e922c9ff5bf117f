import { AppError, type Clock, startDeadline, toTimestamp } from '../core/index.ts';
import type { NoteAudit } from '../database/index.ts';
import type { Logger } from '../observability/index.ts';
import {
  type BreakerMode,
  type BreakerOverride,
  type BreakerStatus,
  type Dependency,
  findDependency,
  orElse,
  type Resilience,
  type ResilienceEvent,
} from '../resilience/index.ts';
import type { TableStore } from '../storage/index.ts';
import { createBreakerModes } from './breaker-modes.ts';
import { type BreakerReport, createBreakerReports } from './breaker-reports.ts';
import type { BreakerList, BreakerShape } from './breaker-shapes.ts';

/** The breakers of this instance under the orders of operators. */
export interface Breakers {
  /** For the policies: what an operator has ordered, as far as this instance knows; never waits. */
  overrideOf(name: string): BreakerOverride | undefined;
  /** For the policies: tells other instances of a breaker that has changed. */
  tell(dependency: Dependency): void;
  /** Every breaker; without storage, what this instance knows by itself. */
  list(signal: AbortSignal): Promise<BreakerList>;
  /**
   * Orders a breaker to stay open or closed, or to decide by itself again. Every instance with traffic follows within
   * 10 s.
   *
   * @param by - who orders it, for the log
   * @throws AppError `not_found` for an unknown name; `unavailable` when the order could not be kept
   */
  set(name: string, mode: BreakerMode, by: string, signal: AbortSignal): Promise<BreakerShape>;
}

interface BreakersOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Reached around the breakers that it is about. */
  readonly table: TableStore;
  /** Names this process. */
  readonly instance: string;
  readonly resilience: Pick<Resilience, 'states'>;
  readonly onEvent: (event: ResilienceEvent) => void;
  /** Does not fail: orders are given while the database is down, and the table says who gave them. */
  readonly noteAudit: NoteAudit;
}

/** The list is asked for when something is wrong, so it waits for storage only this long. */
const listTimeoutMs = 3_000;

export function createBreakers({
  clock,
  logger,
  table,
  instance,
  resilience,
  onEvent,
  noteAudit,
}: BreakersOptions): Breakers {
  const onReadFailure = (error: unknown) =>
    logger.warning('the orders for circuit breakers could not be read: the last ones stand', { error });
  const modes = createBreakerModes({ clock, table, onEvent, onReadFailure });
  const reports = createBreakerReports({ clock, table, instance, states: resilience.states });

  const shapeOf = (status: BreakerStatus, others: readonly BreakerReport[]): BreakerShape => {
    const order = modes.orderFor(status.name);
    return {
      name: status.name,
      state: status.state,
      since: toTimestamp(status.since),
      mode: status.mode,
      set_by: order?.by ?? null,
      set_at: order ? toTimestamp(order.at) : null,
      elsewhere: others
        .filter(({ dependency }) => dependency === status.name)
        .map(({ instance: other, state, since }) => ({ instance: other, state, since })),
    };
  };
  /** Also of hosts that this instance has not called, where something is ordered for them. */
  const statusOf = (name: Dependency): BreakerStatus =>
    resilience.states().find((status) => status.name === name) ?? {
      name,
      ...standing(modes.overrideOf(name), clock.now()),
    };
  const readOthers = async (signal: AbortSignal): Promise<readonly BreakerReport[]> => {
    using deadline = startDeadline(clock, listTimeoutMs, signal);
    return await orElse(reports.ofOthers(deadline.signal), () => []);
  };

  return {
    overrideOf: modes.overrideOf,
    tell: reports.tell,
    async list(signal) {
      const [others] = await Promise.all([readOthers(signal), orElse(modes.refresh(signal), () => {})]);
      const names = new Set([...resilience.states().map(({ name }) => name), ...modes.ordered()]);
      const readAt = modes.readAt();
      return {
        data: [...names].map((name) => shapeOf(statusOf(name), others)),
        modes_read_at: readAt === undefined ? null : toTimestamp(readAt),
      };
    },
    async set(name, mode, by, signal) {
      const dependency = findDependency(name);
      if (dependency === undefined)
        throw new AppError('not_found', 'There is no circuit breaker of this name');
      const before = { mode: await modes.set(dependency, mode, by, signal) };
      const object = { type: 'breaker', id: dependency };
      await noteAudit([{ action: 'breaker.set', object, before, after: { mode } }], signal);
      return shapeOf(statusOf(dependency), await readOthers(signal));
    },
  };
}

/** A breaker that nobody has used is closed, unless it is ordered otherwise. */
function standing(override: BreakerOverride | undefined, now: number): Omit<BreakerStatus, 'name'> {
  if (override) return { state: override.mode, since: override.since, mode: override.mode };
  return { state: 'closed', since: now, mode: 'auto' };
}
