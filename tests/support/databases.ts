import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  createDatabase as createAccess,
  type Database,
  listMigrations,
  migrateDown,
  parseDatabaseUrl,
} from '../../src/lib/database/index.ts';
import type { Resilience } from '../../src/lib/resilience/index.ts';

/** Creates an empty database beside the given one, in the same server, and returns its address. */
export async function createDatabase(databaseUrl: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await administer(databaseUrl, `create database ${name}`);
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** The app's access to a database; close it. */
export function openDatabase(
  url: string,
  resilience: Resilience,
  connections = { app: 10, direct: 3 },
): Database {
  const address = parseDatabaseUrl(url);
  return createAccess({
    app: { address, maxConnections: connections.app },
    direct: { address, maxConnections: connections.direct },
    resilience,
  });
}

/** Undoes migrations until the given one is the last that has run; all of them for an empty name. */
export async function migrateDownTo(url: string, name: string): Promise<void> {
  const address = parseDatabaseUrl(url);
  const ran = (await listMigrations(address)).flatMap((one) =>
    one.executedAt ? [{ name: one.name, at: one.executedAt.getTime() }] : [],
  );
  const newestFirst = ran.toSorted((a, b) => b.at - a.at).map((one) => one.name);
  const kept = newestFirst.indexOf(name);
  for (const newest of kept < 0 ? newestFirst : newestFirst.slice(0, kept))
    await migrateDown(address, newest);
}

/** Drops a database made by {@link createDatabase}, ending the connections that are still open to it. */
export async function dropDatabase(databaseUrl: string): Promise<void> {
  await administer(databaseUrl, `drop database ${nameOf(databaseUrl)} with (force)`);
}

function nameOf(databaseUrl: string): string {
  return new URL(databaseUrl).pathname.slice(1);
}

async function administer(databaseUrl: string, statement: string): Promise<void> {
  const maintenance = new URL(databaseUrl);
  maintenance.pathname = '/postgres';
  const client = new pg.Client(maintenance.href);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
