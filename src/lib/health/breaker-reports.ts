import { type Clock, startDeadline, toTimestamp } from '../core/index.ts';
import { outsideOfInvocations } from '../observability/index.ts';
import type { BreakerStatus, Dependency } from '../resilience/index.ts';
import type { TableEntity, TableStore } from '../storage/index.ts';

/** What an instance has told of one of its breakers. */
export interface BreakerReport {
  readonly dependency: string;
  readonly instance: string;
  readonly state: 'open' | 'half_open';
  /** ISO 8601. */
  readonly since: string;
}

/**
 * What instances tell one another of their breakers. For the eyes of operators only: whether a dependency is well is each
 * instance's own experience, and one with a broken network must not cut off the others.
 */
export interface BreakerReports {
  /** Tells of a change: at once, but nobody waits for it, and it may be lost. */
  tell(dependency: Dependency): void;
  /** What other instances have told of late of breakers that are not closed. */
  ofOthers(signal: AbortSignal): Promise<readonly BreakerReport[]>;
}

interface BreakerReportsOptions {
  readonly clock: Clock;
  readonly table: TableStore;
  /** Names this process. */
  readonly instance: string;
  readonly states: () => readonly BreakerStatus[];
}

/** An open breaker under traffic is told of with every probe, once a minute; what is older was left behind by a dead instance. */
const validMs = 10 * 60_000;
/** What is left behind is removed by whoever tells something next, long after it has been ignored. */
const keptMs = 24 * 3_600_000;
const tellTimeoutMs = 5_000;

const partitionKey = 'state';

export function createBreakerReports({
  clock,
  table,
  instance,
  states,
}: BreakerReportsOptions): BreakerReports {
  const untold = new Set<Dependency>();

  const tellOne = async (dependency: Dependency, signal: AbortSignal) => {
    const status = states().find(({ name }) => name === dependency);
    const rowKey = `${dependency} ${instance}`;
    if (status === undefined || status.state === 'closed') {
      await table.delete(partitionKey, rowKey, { signal });
      return;
    }
    const { state, since } = status;
    const told_at = toTimestamp(clock.now());
    await table.upsert(
      { partitionKey, rowKey, dependency, instance, state, since: toTimestamp(since), told_at },
      { signal },
    );
  };
  const tidy = async (signal: AbortSignal) => {
    for await (const { entity } of table.query({ partitionKey }, { signal })) {
      if (ageMs(entity) > keptMs) await table.delete(partitionKey, entity.rowKey, { signal });
    }
  };
  const ageMs = ({ told_at }: TableEntity) => clock.now() - Date.parse(String(told_at));

  let telling = false;
  /** What changes while it runs is told of before it ends: the last state of each breaker stands. */
  const tellAll = async () => {
    if (telling) return;
    telling = true;
    using deadline = startDeadline(clock, tellTimeoutMs);
    try {
      await tidy(deadline.signal);
      for (const dependency of untold) {
        untold.delete(dependency);
        await tellOne(dependency, deadline.signal);
      }
    } catch {
      // Why it could not be told is in the log already, as of every call; the next change is told again.
      untold.clear();
    } finally {
      telling = false;
    }
  };

  return {
    tell(dependency) {
      untold.add(dependency);
      void outsideOfInvocations(tellAll);
    },
    async ofOthers(signal) {
      const reports: BreakerReport[] = [];
      for await (const { entity } of table.query({ partitionKey }, { signal })) {
        const { dependency, instance: other, state, since } = entity;
        if (other === instance || ageMs(entity) > validMs || (state !== 'open' && state !== 'half_open'))
          continue;
        reports.push({
          dependency: String(dependency),
          instance: String(other),
          state,
          since: String(since),
        });
      }
      return reports;
    },
  };
}
