import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
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
