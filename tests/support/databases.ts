import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  createDatabase as createAccess,
  type Database,
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
