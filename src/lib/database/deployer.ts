import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { sleep, systemClock } from '../core/index.ts';
import type { DatabaseAddress } from './address.ts';
import { Client, clientConfig } from './client.ts';

/** A connection that changes the schema or the roles. */
export type DeployerDb = Kysely<unknown>;

/** Opens one connection of its own, outside of the pools, for as long as `work` takes. */
export async function withDeployer<T>(
  address: DatabaseAddress,
  work: (db: DeployerDb) => Promise<T>,
): Promise<T> {
  // On a developer's machine the token comes from a program that takes longer than a connection may.
  const password = typeof address.password === 'function' ? await address.password() : address.password;
  const pool = new pg.Pool({ ...clientConfig({ ...address, password }), Client, max: 1 } as pg.PoolConfig);
  // A connection that breaks fails the statement under way, or the next one; unheard it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await db.connection().execute(work);
  } finally {
    await db.destroy();
  }
}

/** As {@link withDeployer}, but one at a time in a database: for what changes the schema or who may do what in it. */
export function withSoleDeployer<T>(
  address: DatabaseAddress,
  work: (db: DeployerDb) => Promise<T>,
): Promise<T> {
  return withDeployer(address, async (db) => {
    await lockSchema(db);
    return work(db);
  });
}

/** A number like another; those who deploy agree on it. */
const lockId = 6_203_911_557;
const lockRetryMs = 200;

/**
 * Waits until nobody else deploys; the lock lives as long as the connection. It is asked for again and again, because
 * a statement that waited would itself be waited for by CREATE INDEX CONCURRENTLY of whoever holds the lock.
 */
async function lockSchema(db: DeployerDb): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_lock(${lockId}) as locked`.execute(
      db,
    );
    if (rows[0]?.locked) return;
    await sleep(systemClock, lockRetryMs);
  }
}

/** Who is logged in, and to what. */
export interface Deployer {
  readonly name: string;
  readonly isSuperuser: boolean;
  /** As `server_version_num`: 16.4 is 160004. */
  readonly serverVersion: number;
}

export async function describeDeployer(db: DeployerDb): Promise<Deployer> {
  const { rows } = await sql<Deployer>`
    select rolname as name, rolsuper as "isSuperuser",
           current_setting('server_version_num')::integer as "serverVersion"
    from pg_roles where rolname = session_user`.execute(db);
  const [deployer] = rows;
  if (!deployer) throw new Error('The server does not tell who is logged in');
  return deployer;
}
