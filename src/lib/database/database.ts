import { type ControlledTransaction, Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import type pg from 'pg';
import { AppError, type LinkedAbort, linkAbort } from '../core/index.ts';
import type { Resilience, RunOptions } from '../resilience/index.ts';
import type { DatabaseSource } from './address.ts';
import { isRefusal, toAppError } from './errors.ts';
import { type Lease, lease, type PoolState } from './pool.ts';
import { createRotatingPool } from './rotating-pool.ts';
import type { Schema } from './schema.ts';
import { tracedQuery } from './traced-query.ts';

/** A connection to ask with. */
export type Db = Kysely<Schema>;
/** A connection inside a transaction; a function that asks for it cannot be called without one. */
export type Trx = Transaction<Schema>;

/** One unmoving view of the data, for as long as it is open. Close it, or its connection is lost to others. */
export interface Snapshot extends AsyncDisposable {
  readonly db: ControlledTransaction<Schema>;
  /** `pg_current_snapshot()`: names what the view holds. */
  readonly id: string;
}

/** PostgreSQL, with retries, breaker, deadlines and translated errors. */
export interface Database {
  /**
   * Asks something. `work` may run more than once, so it changes nothing.
   *
   * @param options - `ignoresOrders` as of {@link Resilience.run}
   */
  read<T>(
    operation: string,
    signal: AbortSignal,
    work: (db: Db) => Promise<T>,
    options?: Pick<RunOptions, 'ignoresOrders'>,
  ): Promise<T>;
  /**
   * Changes something, whole or not at all. `work` runs again from its beginning after a collision with another
   * transaction or a lost connection, so it changes nothing but the database.
   *
   * @param options - `ignoresOrders` as of {@link Resilience.run}
   * @throws AppError `unavailable` also when the connection broke during the commit; then nobody knows the outcome
   */
  transaction<T>(
    operation: string,
    signal: AbortSignal,
    work: (trx: Trx) => Promise<T>,
    options?: Pick<RunOptions, 'ignoresOrders'>,
  ): Promise<T>;
  /** Opens a REPEATABLE READ, read-only view on the direct address. */
  openSnapshot(signal: AbortSignal): Promise<Snapshot>;
  /** One cheap round trip around retry and breaker, for the health check. */
  ping(signal: AbortSignal): Promise<void>;
  connections(): { readonly app: PoolState; readonly direct: PoolState };
  close(): Promise<void>;
}

/** Where connections go, and how many there are at most. */
interface PoolOptions {
  readonly address: DatabaseSource;
  readonly maxConnections: number;
}

interface DatabaseOptions {
  /** May lead to a pooler. */
  readonly app: PoolOptions;
  /** Leads to PostgreSQL itself, for what does not survive a transaction pooler. */
  readonly direct: PoolOptions;
  readonly resilience: Resilience;
}

/** Makes the database access; connects at the first use. */
export function createDatabase({ resilience, ...options }: DatabaseOptions): Database {
  const app = createRotatingPool(options.app.address, options.app.maxConnections);
  const direct = createRotatingPool(options.direct.address, options.direct.maxConnections);

  async function guarded<T>(
    dependency: 'postgres' | 'postgres-direct',
    operation: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
    options: Pick<RunOptions, 'ignoresOrders'> = {},
  ) {
    try {
      return await resilience.run(dependency, operation, work, { ...options, signal });
    } catch (error) {
      throw toAppError(error);
    }
  }

  return {
    read: (operation, signal, work, options) =>
      guarded(
        'postgres',
        operation,
        signal,
        (trySignal) => withLease(app.current(), trySignal, (db) => work(db)),
        options,
      ),
    transaction(operation, signal, work, options) {
      const commit: CommitState = { sent: false };
      const attempt = async (trySignal: AbortSignal) => {
        if (commit.sent) throw unknownOutcome();
        return withLease(app.current(), trySignal, (db) => transact(db, work, commit));
      };
      return guarded('postgres', operation, signal, attempt, options);
    },
    openSnapshot: (signal) =>
      guarded('postgres-direct', 'open snapshot', signal, (trySignal) =>
        openInTime(direct.current(), linkAbort(signal), trySignal),
      ),
    async ping(signal) {
      await withLease(app.current(), signal, (db) => sql`select 1`.execute(db));
      resilience.noteRecovery('postgres');
      resilience.noteRecovery('postgres-direct');
    },
    connections: () => ({ app: app.state(), direct: direct.state() }),
    async close() {
      await Promise.all([app.close(), direct.close()]);
    },
  };
}

async function withLease<T>(pool: pg.Pool, signal: AbortSignal, work: (db: Db) => Promise<T>): Promise<T> {
  const held = await lease(pool, signal);
  try {
    const result = await work(queryBuilderOn(held));
    held.release();
    return result;
  } catch (error) {
    held.release(error);
    throw signal.aborted ? signal.reason : error;
  }
}

/** Kysely on one connection that is already ours: it neither takes nor gives back. */
function queryBuilderOn({ client }: Lease): Db {
  const borrowed = { query: tracedQuery(client), release: () => {} };
  const pool = { connect: async () => borrowed as never, end: async () => {}, options: {} };
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

/** Whether a commit is on its way whose answer is not known. */
interface CommitState {
  sent: boolean;
}

/** Everything before the commit can be repeated, because it left nothing behind; a commit without an answer cannot. */
async function transact<T>(db: Db, work: (trx: Trx) => Promise<T>, commit: CommitState): Promise<T> {
  const trx = await db.startTransaction().execute();
  let result: T;
  try {
    result = await work(trx);
  } catch (error) {
    await trx
      .rollback()
      .execute()
      .catch(() => {});
    throw error;
  }
  commit.sent = true;
  try {
    await trx.commit().execute();
  } catch (error) {
    if (!isRefusal(error)) throw unknownOutcome(error);
    commit.sent = false;
    throw error;
  }
  return result;
}

function unknownOutcome(cause?: unknown): AppError {
  return new AppError('unavailable', 'The connection broke: it is not known whether the change was made', {
    cause,
  });
}

/** The time of a try ends with the opening; the open snapshot lives until the caller's signal aborts. */
async function openInTime(pool: pg.Pool, life: LinkedAbort, trySignal: AbortSignal): Promise<Snapshot> {
  const cutOff = () => life.abort(trySignal.reason);
  trySignal.addEventListener('abort', cutOff, { once: true });
  try {
    return await openSnapshot(pool, life);
  } catch (error) {
    life[Symbol.dispose]();
    throw error;
  } finally {
    trySignal.removeEventListener('abort', cutOff);
  }
}

async function openSnapshot(pool: pg.Pool, life: LinkedAbort): Promise<Snapshot> {
  const held = await lease(pool, life.signal);
  try {
    const db = await queryBuilderOn(held)
      .startTransaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute();
    const { rows } = await sql<{ id: string }>`select pg_current_snapshot()::text as id`.execute(db);
    return {
      db,
      id: rows[0]?.id ?? '',
      async [Symbol.asyncDispose]() {
        const failure = await db
          .rollback()
          .execute()
          .then(
            () => undefined,
            (error: unknown) => error,
          );
        held.release(failure);
        life[Symbol.dispose]();
      },
    };
  } catch (error) {
    held.release(error);
    throw life.signal.aborted ? life.signal.reason : error;
  }
}
