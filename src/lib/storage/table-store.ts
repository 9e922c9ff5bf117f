import type { Clock } from '../core/index.ts';
import { codeOf, type Resilience } from '../resilience/index.ts';
import type { TableAccess } from './account.ts';
import { createCalls } from './calls.ts';
import { outcomeOfRefusal, statusOf } from './errors.ts';
import type { StoredEntity, TableEntity, TableQuery, TableStore } from './ports.ts';
import { fromWire, isSameRow, toWire } from './table-values.ts';

interface TableStoreOptions {
  readonly name: string;
  readonly access: () => Promise<TableAccess>;
  readonly dependency: 'table' | 'table-control';
  readonly resilience: Resilience;
  readonly clock: Clock;
}

/** What a write has met. */
type Outcome = 'done' | 'taken' | 'absent' | 'changed';

/** Most rows in one answer of the service. */
const pageRows = 1000;

/** One table of Azure Table Storage. */
export function createTableStore({
  name,
  access,
  dependency,
  resilience,
  clock,
}: TableStoreOptions): TableStore {
  const call = createCalls({
    clock,
    resilience,
    dependency,
    name,
    // Succeeds when the table is there.
    create: async (abortSignal) => (await access()).client.createTable({ abortSignal }),
  });

  const get: TableStore['get'] = async (partitionKey, rowKey, { signal }) => {
    const { client } = await access();
    const read = (abortSignal: AbortSignal) =>
      client.getEntity<Record<string, unknown>>(partitionKey, rowKey, { abortSignal }).catch(ignoreAbsent);
    const found = await call('get entity', read, { signal });
    return found && fromWire(found);
  };

  /** Runs a write; says also whether it was tried more than once, so that it may have met its own work. */
  const write = async (
    operation: string,
    signal: AbortSignal,
    fn: (abortSignal: AbortSignal) => Promise<Outcome>,
  ): Promise<{ readonly outcome: Outcome; readonly repeated: boolean }> => {
    let tries = 0;
    const attempt = (abortSignal: AbortSignal) => {
      tries++;
      return fn(abortSignal);
    };
    const outcome = await call(operation, attempt, { signal });
    return { outcome, repeated: tries > 1 };
  };

  const stands = async (entity: TableEntity, signal: AbortSignal) => {
    const standing = await get(entity.partitionKey, entity.rowKey, { signal });
    return standing !== undefined && isSameRow(standing.entity, entity);
  };

  return {
    get,
    async insert(entity, { signal }) {
      const { client } = await access();
      const { outcome, repeated } = await write('insert entity', signal, (abortSignal) =>
        client.createEntity(toWire(entity), { abortSignal }).then(done, outcomeOfInsert),
      );
      return outcome === 'done' || (repeated && (await stands(entity, signal)));
    },
    async replace(entity, { signal, ifMatch = '*' }) {
      const { client } = await access();
      const { outcome, repeated } = await write('replace entity', signal, (abortSignal) =>
        client
          .updateEntity(toWire(entity), 'Replace', { etag: ifMatch, abortSignal })
          .then(done, outcomeOfRefusal),
      );
      return outcome === 'done' || (outcome === 'changed' && repeated && (await stands(entity, signal)));
    },
    async upsert(entity, { signal }) {
      const { client } = await access();
      await write('upsert entity', signal, (abortSignal) =>
        client.upsertEntity(toWire(entity), 'Replace', { abortSignal }).then(done),
      );
    },
    async delete(partitionKey, rowKey, { signal, ifMatch = '*' }) {
      const { client } = await access();
      const { outcome, repeated } = await write('delete entity', signal, (abortSignal) =>
        client
          .deleteEntity(partitionKey, rowKey, { etag: ifMatch, abortSignal })
          .then(done, outcomeOfRefusal),
      );
      return outcome === 'done' || (outcome === 'absent' && repeated);
    },
    async *query(query, { signal }) {
      const table = await access();
      let left = query.limit ?? Number.POSITIVE_INFINITY;
      let from: string | undefined;
      while (left > 0) {
        const read = (abortSignal: AbortSignal) =>
          readPage(table, query, Math.min(left, pageRows), from, abortSignal);
        const page = await call('query entities', read, { signal });
        yield* page.rows.slice(0, left);
        left -= page.rows.length;
        from = page.next;
        if (!from) return;
      }
    },
  };
}

/** One round trip of a query. A page may be short, or even empty, before the last one. */
async function readPage(
  { client, odata }: TableAccess,
  { partitionKey, rowKeyFrom, rowKeyTo }: TableQuery,
  maxPageSize: number,
  continuationToken: string | undefined,
  abortSignal: AbortSignal,
): Promise<{ readonly rows: StoredEntity[]; readonly next: string | undefined }> {
  const conditions = [odata`PartitionKey eq ${partitionKey}`];
  if (rowKeyFrom !== undefined) conditions.push(odata`RowKey ge ${rowKeyFrom}`);
  if (rowKeyTo !== undefined) conditions.push(odata`RowKey le ${rowKeyTo}`);
  const queryOptions = { filter: conditions.join(' and ') };
  const pages = client.listEntities<Record<string, unknown>>({ queryOptions, abortSignal });
  const page = await pages.byPage({ maxPageSize, ...(continuationToken && { continuationToken }) }).next();
  if (page.done) return { rows: [], next: undefined };
  return { rows: page.value.map(fromWire), next: page.value.continuationToken };
}

function done(): Outcome {
  return 'done';
}

function outcomeOfInsert(error: unknown): Outcome {
  if (codeOf(error) === 'EntityAlreadyExists') return 'taken';
  throw error;
}

/** Of a missing table, too, there is no row. */
function ignoreAbsent(error: unknown): undefined {
  if (statusOf(error) !== 404) throw error;
}
