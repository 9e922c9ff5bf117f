import pg from 'pg';
import { isAppError, rejectOnAbort } from '../core/index.ts';
import type { DatabaseAddress } from './address.ts';
import { Client, clientConfig } from './client.ts';

/** Waiting for a free connection of the pool. */
const poolWaitMs = 30_000;
const int8 = 20;
const timestampWithoutZone = 1114;

/**
 * Sizes and counts stay far below 2^53, so 64-bit integers are read as numbers. Times without a zone, as tables from AWS
 * have them, are in UTC wherever they are read.
 */
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  [int8]: Number,
  [timestampWithoutZone]: (text) => new Date(`${text.replace(' ', 'T')}Z`),
};

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format !== 'binary' && parsers[oid]) ||
    pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** The connections of one pool: in use now, and at most. */
export interface PoolState {
  readonly active: number;
  readonly max: number;
}

/** Makes a pool of connections; it connects at the first use. */
export function createPool(address: DatabaseAddress, maxConnections: number): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(address),
    Client,
    connectionTimeoutMillis: poolWaitMs,
    // Entra tokens live for an hour and more; a connection does not outlive the one it was opened with.
    maxLifetimeSeconds: 3_600,
    idleTimeoutMillis: 60_000,
    max: maxConnections,
    types,
  } as pg.PoolConfig);
  // Without a listener an idle connection that the server closes would end the process; the pool replaces it anyway.
  pool.on('error', ignore);
  return pool;
}

/** How many connections are in use. */
export function activeConnections(pool: pg.Pool): number {
  return pool.totalCount - pool.idleCount;
}

/** A connection that is ours until it is given back. */
export interface Lease {
  readonly client: pg.PoolClient;
  /** Gives the connection back; after a failure of the connection itself it is closed instead. */
  release(failure?: unknown): void;
}

/**
 * Takes a connection. When the signal aborts the connection is closed at once: that ends whatever runs on it, here by
 * an error and on the server by `client_connection_check_interval`.
 */
export async function lease(pool: pg.Pool, signal: AbortSignal): Promise<Lease> {
  const client = await connect(pool, signal);
  client.on('error', ignore);
  let held = true;
  const giveBack = (broken: boolean) => {
    if (!held) return;
    held = false;
    signal.removeEventListener('abort', onAbort);
    client.off('error', ignore);
    // The pool's own listener is back only after the release; a late error in between must not end the process.
    if (broken) client.on('error', ignore);
    client.release(broken);
  };
  const onAbort = () => giveBack(true);
  signal.addEventListener('abort', onAbort, { once: true });
  return { client, release: (failure) => giveBack(failure !== undefined && !leavesIntact(failure)) };
}

/** Stops waiting when the signal aborts; a connection that comes too late goes straight back. */
async function connect(pool: pg.Pool, signal: AbortSignal): Promise<pg.PoolClient> {
  signal.throwIfAborted();
  const connecting = pool.connect();
  try {
    return await rejectOnAbort(connecting, signal);
  } catch (error) {
    connecting.then((client) => client.release(), ignore);
    throw error;
  }
}

/** An error after which the connection is still good: one that the server sent as an answer, or our own of no such cause. */
function leavesIntact(error: unknown): boolean {
  if (isAppError(error)) return error.cause === undefined || leavesIntact(error.cause);
  return error instanceof pg.DatabaseError && error.severity !== 'FATAL' && error.severity !== 'PANIC';
}

function ignore(): void {}
