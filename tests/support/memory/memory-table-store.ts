import { AppError } from '../../../src/lib/core/index.ts';
import type { StoredEntity, TableEntity, TableStore, TableValue } from '../../../src/lib/storage/index.ts';

const maxTextLength = 32_768;

/** A table in memory; keeps the same contract as the real one. */
export function memoryTableStore(): TableStore {
  const rows = new Map<string, StoredEntity>();
  let writes = 0;
  const keyOf = (partitionKey: string, rowKey: string) => JSON.stringify([partitionKey, rowKey]);
  const write = (entity: TableEntity) => {
    const columns = Object.entries(entity).filter(([, value]) => value !== undefined);
    rows.set(keyOf(entity.partitionKey, entity.rowKey), {
      entity: structuredClone(Object.fromEntries(columns)) as unknown as TableEntity,
      etag: `W/"memory-${++writes}"`,
    });
  };
  const matches = (key: string, ifMatch: string | undefined) => {
    const row = rows.get(key);
    return row !== undefined && (ifMatch === undefined || ifMatch === row.etag);
  };

  return {
    async insert(entity, { signal }) {
      signal.throwIfAborted();
      check(entity);
      if (rows.has(keyOf(entity.partitionKey, entity.rowKey))) return false;
      write(entity);
      return true;
    },
    async get(partitionKey, rowKey, { signal }) {
      signal.throwIfAborted();
      return rows.get(keyOf(partitionKey, rowKey));
    },
    async replace(entity, { signal, ifMatch }) {
      signal.throwIfAborted();
      check(entity);
      if (!matches(keyOf(entity.partitionKey, entity.rowKey), ifMatch)) return false;
      write(entity);
      return true;
    },
    async upsert(entity, { signal }) {
      signal.throwIfAborted();
      check(entity);
      write(entity);
    },
    async delete(partitionKey, rowKey, { signal, ifMatch }) {
      signal.throwIfAborted();
      const key = keyOf(partitionKey, rowKey);
      return matches(key, ifMatch) && rows.delete(key);
    },
    async *query({ partitionKey, rowKeyFrom = '', rowKeyTo, limit = Number.POSITIVE_INFINITY }, { signal }) {
      signal.throwIfAborted();
      const found = [...rows.values()]
        .filter(({ entity }) => entity.partitionKey === partitionKey && entity.rowKey >= rowKeyFrom)
        .filter(({ entity }) => rowKeyTo === undefined || entity.rowKey <= rowKeyTo)
        .sort((a, b) => (a.entity.rowKey < b.entity.rowKey ? -1 : 1))
        .slice(0, limit);
      for (const row of found) {
        signal.throwIfAborted();
        yield row;
      }
    },
  };
}

/** Refuses what the service refuses. */
function check(entity: TableEntity): void {
  if ([entity.partitionKey, entity.rowKey].some((key) => /[/\\#?]/.test(key))) throw refused();
  for (const [name, value] of Object.entries(entity)) {
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new TypeError(`Column ${name} holds ${value}`);
    if (isTooLong(value)) throw refused();
  }
}

function refused(): AppError {
  return new AppError('upstream', 'The storage service refused the operation');
}

function isTooLong(value: TableValue | undefined): boolean {
  return typeof value === 'string' && value.length > maxTextLength;
}
