import { AppError } from '../../../src/lib/core/index.ts';
import type { AuditEntry } from '../../../src/lib/database/index.ts';
import { createBreakers } from '../../../src/lib/health/breakers.ts';
import { createResilience, type ResilienceEvent } from '../../../src/lib/resilience/index.ts';
import type { TableStore } from '../../../src/lib/storage/index.ts';
import type { FakeClock } from '../../support/fake-clock.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';

/** A signal that never aborts. */
export const { signal } = new AbortController();

/** What a call is told that an operator holds back. */
export const rejected = { code: 'unavailable', retryAfterSeconds: 10 };

/** A table that can be away, or so slow that nobody hears of it again. */
export function tableWithOutages() {
  const store = memoryTableStore();
  const outage: { kind: 'none' | 'away' | 'silent' } = { kind: 'none' };
  let queries = 0;
  const pass = async (callSignal: AbortSignal) => {
    if (outage.kind === 'away') throw new AppError('unavailable', 'Table storage is not available');
    if (outage.kind === 'silent')
      await new Promise((_, reject) => callSignal.addEventListener('abort', () => reject(callSignal.reason)));
  };
  const table: TableStore = {
    ...store,
    async upsert(entity, options) {
      await pass(options.signal);
      await store.upsert(entity, options);
    },
    async *query(query, options) {
      queries++;
      await pass(options.signal);
      yield* store.query(query, options);
    },
  };
  return { table, store, outage, queries: () => queries };
}

/** One process with its own breakers and its own idea of what is ordered. */
export function startInstance(clock: FakeClock, table: TableStore, instance = 'one') {
  const events: ResilienceEvent[] = [];
  const warnings: string[] = [];
  const logger = {
    debug() {},
    info() {},
    warning: (message: string) => void warnings.push(message),
    error() {},
    child: () => logger,
  };
  const audited: AuditEntry[] = [];
  const resilience = createResilience({
    clock,
    settings: { retries: 0, breakerThreshold: 2 },
    onEvent(event) {
      if (event.type === 'breaker') breakers.tell(event.dependency);
    },
    overrideOf: (name) => breakers.overrideOf(name),
  });
  const breakers = createBreakers({
    clock,
    logger,
    table,
    instance,
    resilience,
    onEvent: (event) => events.push(event),
    noteAudit: async (entries) => void audited.push(...entries),
  });
  const call = (dependency: 'blob' | 'table' | 'queue' = 'blob') =>
    resilience.run(dependency, 'ask', async () => 'done', { signal }).catch((error: unknown) => error);
  const fail = (dependency: 'blob' | 'table' = 'blob') =>
    resilience
      .run(dependency, 'ask', () => Promise.reject(Object.assign(new Error('busy'), { statusCode: 503 })), {
        signal,
      })
      .catch((error: unknown) => error);
  const statusOf = async (name: string) =>
    (await breakers.list(signal)).data.find((breaker) => breaker.name === name);
  return { breakers, resilience, events, warnings, audited, call, fail, statusOf };
}
