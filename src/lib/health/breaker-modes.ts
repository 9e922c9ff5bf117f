import { type Clock, rejectOnAbort, singleFlight, startDeadline, toTimestamp } from '../core/index.ts';
import { outsideOfInvocations } from '../observability/index.ts';
import {
  type BreakerMode,
  type BreakerOverride,
  type Dependency,
  findDependency,
  type ResilienceEvent,
} from '../resilience/index.ts';
import type { TableEntity, TableStore } from '../storage/index.ts';

/** An operator's order as it is kept. */
export interface ModeOrder {
  readonly mode: BreakerMode;
  /** Who gave it. */
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The orders of operators, kept in a table, so that every instance follows. */
export interface BreakerModes {
  /** What is ordered as far as this instance knows. Never waits; has the table read again when that is old. */
  overrideOf(name: string): BreakerOverride | undefined;
  orderFor(dependency: Dependency): ModeOrder | undefined;
  /** All that something is ordered for, or was. */
  ordered(): readonly Dependency[];
  /** When the table was read last, in milliseconds since the epoch. */
  readAt(): number | undefined;
  /** Reads the table now, together with whoever asks at the same time. */
  refresh(signal: AbortSignal): Promise<void>;
  /**
   * Gives an order; the last one counts.
   *
   * @returns what was ordered before
   * @throws AppError when it could not be kept; then nothing has changed
   */
  set(dependency: Dependency, mode: BreakerMode, by: string, signal: AbortSignal): Promise<BreakerMode>;
}

interface BreakerModesOptions {
  readonly clock: Clock;
  readonly table: TableStore;
  readonly onEvent: (event: ResilienceEvent) => void;
  /** A reading that nobody waited for has failed; told once, until one succeeds. */
  readonly onReadFailure: (error: unknown) => void;
}

/*
 * An instance with traffic knows of an order after 3 + 1 s and a reading, which takes 3 s at most: within 10 s with room
 * for a reading that fails. One query each 4 s costs some cents a month.
 */

/** From this age on, what is known is read again. */
const maxAgeMs = 3_000;
/** The call that notices goes first: the first reading loads an SDK, which holds up everything for some milliseconds. */
const readPauseMs = 1_000;
const readTimeoutMs = 3_000;

const partitionKey = 'mode';

export function createBreakerModes({
  clock,
  table,
  onEvent,
  onReadFailure,
}: BreakerModesOptions): BreakerModes {
  let orders: ReadonlyMap<string, ModeOrder> = new Map();
  let overrides: ReadonlyMap<string, BreakerOverride> = new Map();
  let readAt: number | undefined;
  /** A flag set by a timer, because every try of every call looks at it: reading a clock takes three times as long. */
  let isOld = true;
  /** Counts what this instance has learnt. */
  let version = 0;
  let readable = true;

  const adopt = (next: ReadonlyMap<string, ModeOrder>) => {
    const before = orders;
    orders = next;
    overrides = overridesOf(next);
    version++;
    for (const change of changesBetween(before, next)) onEvent(change);
  };
  const read = singleFlight(async () => {
    using deadline = startDeadline(clock, readTimeoutMs);
    const versionBefore = version;
    const startedAt = clock.now();
    clock.after(maxAgeMs, () => {
      isOld = true;
    });
    const found = await collectOrders(table, deadline.signal);
    // An order given here meanwhile may be missing in what was read.
    if (version !== versionBefore) return;
    readAt = startedAt;
    adopt(found);
  });
  const readAndTell = () => {
    read().then(
      () => {
        readable = true;
      },
      (error: unknown) => {
        if (readable) onReadFailure(error);
        readable = false;
      },
    );
  };
  const readSoon = () => {
    isOld = false;
    clock.after(readPauseMs, () => outsideOfInvocations(readAndTell));
  };

  return {
    overrideOf(name) {
      if (isOld) readSoon();
      return overrides.get(name);
    },
    orderFor: (dependency) => orders.get(dependency),
    ordered: () => [...orders.keys()].flatMap((name) => findDependency(name) ?? []),
    readAt: () => readAt,
    refresh: (signal) => rejectOnAbort(read(), signal),
    async set(dependency, mode, by, signal) {
      // What was ordered before may come from another instance.
      await rejectOnAbort(read(), signal);
      const before = orders.get(dependency)?.mode ?? 'auto';
      const order: ModeOrder = { mode, by, at: clock.now() };
      await table.upsert(toEntity(dependency, order), { signal });
      adopt(new Map(orders).set(dependency, order));
      return before;
    },
  };
}

function overridesOf(orders: ReadonlyMap<string, ModeOrder>): ReadonlyMap<string, BreakerOverride> {
  const overrides = new Map<string, BreakerOverride>();
  for (const [name, { mode, at }] of orders) if (mode !== 'auto') overrides.set(name, { mode, since: at });
  return overrides;
}

function changesBetween(
  before: ReadonlyMap<string, ModeOrder>,
  after: ReadonlyMap<string, ModeOrder>,
): ResilienceEvent[] {
  return [...after].flatMap(([name, { mode, by }]) => {
    const dependency = findDependency(name);
    const modeBefore = before.get(name)?.mode ?? 'auto';
    if (dependency === undefined || modeBefore === mode) return [];
    return [{ type: 'breaker_mode' as const, dependency, by, before: modeBefore, after: mode }];
  });
}

async function collectOrders(table: TableStore, signal: AbortSignal): Promise<Map<string, ModeOrder>> {
  const orders = new Map<string, ModeOrder>();
  for await (const { entity } of table.query({ partitionKey }, { signal })) {
    const order = fromEntity(entity);
    if (order) orders.set(entity.rowKey, order);
  }
  return orders;
}

function toEntity(dependency: Dependency, { mode, by, at }: ModeOrder): TableEntity {
  return { partitionKey, rowKey: dependency, mode, set_by: by, set_at: toTimestamp(at) };
}

/** `undefined` for what somebody else has written: a breaker then decides by itself. */
function fromEntity({ mode, set_by: by, set_at: at }: TableEntity): ModeOrder | undefined {
  if (mode !== 'auto' && mode !== 'open' && mode !== 'closed') return undefined;
  const epochMs = Date.parse(String(at));
  return { mode, by: String(by), at: Number.isNaN(epochMs) ? 0 : epochMs };
}
