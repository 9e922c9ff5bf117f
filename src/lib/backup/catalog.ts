import type { StoredEntity, TableEntity, TableStore } from '../storage/index.ts';
import { backupTime } from './names.ts';
import type { BackupSummary } from './shapes.ts';

/**
 * The list of all backups. It lies in Table Storage, because it must survive the database it is about.
 *
 * One row per backup, by name: one second has one backup at most, and the row key counts down from the far future, so
 * that the table's own order is newest first.
 */
export interface Catalog {
  /** @returns false when the name is taken */
  insert(backup: BackupSummary, signal: AbortSignal): Promise<boolean>;
  find(name: string, signal: AbortSignal): Promise<BackupSummary | undefined>;
  /** Changes an entry; `undefined` when there is none. */
  update(
    name: string,
    change: Partial<BackupSummary>,
    signal: AbortSignal,
  ): Promise<BackupSummary | undefined>;
  /** Entries newest first, behind the named one where it is given. */
  list(
    options: { readonly after?: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<BackupSummary[]>;
}

const partitionKey = 'backup';
const farFutureSeconds = 9_999_999_999;
/** Writers of one entry are few; each round, one of them gets through. */
const maxUpdateTries = 5;

/** @param table - may hold other partitions */
export function createCatalog(table: TableStore): Catalog {
  const get = async (name: string, signal: AbortSignal): Promise<StoredEntity | undefined> => {
    const rowKey = rowKeyOf(name);
    return rowKey === undefined ? undefined : await table.get(partitionKey, rowKey, { signal });
  };
  return {
    insert: (backup, signal) => table.insert(toEntity(backup), { signal }),
    async find(name, signal) {
      const stored = await get(name, signal);
      return stored && fromEntity(stored.entity);
    },
    async update(name, change, signal) {
      for (let tries = 1; ; tries++) {
        const stored = await get(name, signal);
        if (!stored) return undefined;
        const changed = { ...fromEntity(stored.entity), ...change };
        if (await table.replace(toEntity(changed), { signal, ifMatch: stored.etag })) return changed;
        if (tries === maxUpdateTries) throw new Error(`the catalog entry ${name} keeps changing`);
      }
    },
    async list({ after, limit }, signal) {
      const last = after === undefined ? undefined : rowKeyOf(after);
      const rowKeyFrom = last === undefined ? '0' : rowKey(Number(last) + 1);
      const backups: BackupSummary[] = [];
      for await (const { entity } of table.query({ partitionKey, rowKeyFrom, limit }, { signal })) {
        backups.push(fromEntity(entity));
      }
      return backups;
    },
  };
}

function rowKeyOf(name: string): string | undefined {
  const epochMs = backupTime(name);
  return epochMs === undefined ? undefined : rowKey(farFutureSeconds - epochMs / 1000);
}

function rowKey(seconds: number): string {
  return String(seconds).padStart(10, '0');
}

/** Sizes are 64-bit integers there; what has parts is JSON; null is a column that is left out. */
function toEntity(backup: BackupSummary): TableEntity {
  const rowKey = rowKeyOf(backup.name);
  if (rowKey === undefined) throw new Error(`${backup.name} is no name of a backup`);
  const { dump_bytes, stored_bytes, verification, error, ...columns } = backup;
  const present = Object.entries(columns).filter(([, value]) => value !== null);
  return {
    partitionKey,
    rowKey,
    ...Object.fromEntries(present),
    dump_bytes: dump_bytes === null ? undefined : BigInt(dump_bytes),
    stored_bytes: stored_bytes === null ? undefined : BigInt(stored_bytes),
    verification: verification && JSON.stringify(verification),
    error: error && JSON.stringify(error),
  };
}

function fromEntity(entity: TableEntity): BackupSummary {
  const text = (column: string) => (typeof entity[column] === 'string' ? entity[column] : null);
  const size = (column: string) => (typeof entity[column] === 'bigint' ? Number(entity[column]) : null);
  const parts = (column: string) => JSON.parse(text(column) ?? 'null') ?? undefined;
  const base = text('base');
  const verification: BackupSummary['verification'] = parts('verification');
  const error: BackupSummary['error'] = parts('error');
  return {
    name: text('name') ?? '',
    kind: text('kind') as BackupSummary['kind'],
    ...(base !== null && { base }),
    status: text('status') as BackupSummary['status'],
    database: text('database') ?? '',
    server_version: text('server_version'),
    started_at: text('started_at'),
    finished_at: text('finished_at'),
    dump_bytes: size('dump_bytes'),
    stored_bytes: size('stored_bytes'),
    sha256: text('sha256'),
    encrypted: entity['encrypted'] === true,
    ...(verification && { verification }),
    ...(error && { error }),
  };
}
