import { rm } from 'node:fs/promises';
import pg from 'pg';
import { pickFreePorts } from '../../local/services/ports.ts';
import { startPostgres } from '../../local/services/postgres.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** A PostgreSQL of its own, for what is the server's and not a database's: roles, TLS. */
export interface OwnPostgres {
  /** As the superuser. */
  readonly url: string;
  /** As the login of the app. */
  readonly appUrl: string;
  stop(): Promise<void>;
}

/** @param options - `temporary`: it may lose data in a crash, and is faster for it */
export async function startOwnPostgres({ temporary } = { temporary: true }): Promise<OwnPostgres> {
  const folder = makeTemporaryFolder();
  const [port = 0] = await pickFreePorts(1);
  const { url, appUrl, stop } = await startPostgres({ folder, port, temporary });
  return {
    url,
    appUrl,
    async stop() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The same server, as another role or in another database. */
export function urlWith(
  url: string,
  change: { user?: string; password?: string; database?: string },
): string {
  const changed = new URL(url);
  if (change.user !== undefined) changed.username = encodeURIComponent(change.user);
  if (change.password !== undefined) changed.password = encodeURIComponent(change.password);
  if (change.database !== undefined) changed.pathname = `/${change.database}`;
  return changed.href;
}

/** Runs statements one by one on a connection of their own; returns the rows of the last. */
export async function runStatements<Row extends pg.QueryResultRow>(
  url: string,
  ...statements: readonly string[]
): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    let rows: Row[] = [];
    for (const statement of statements) ({ rows } = await client.query<Row>(statement));
    return rows;
  } finally {
    await client.end();
  }
}
