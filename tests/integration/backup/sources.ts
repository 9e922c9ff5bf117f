import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { dumpDatabase } from '../../../src/lib/backup/engine/dump-database.ts';
import { systemClock } from '../../../src/lib/core/index.ts';
import { type DatabaseAddress, parseDatabaseUrl } from '../../../src/lib/database/index.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';

/** A database for one test; it goes away with it. */
export async function makeDatabase(): Promise<string> {
  const url = await createDatabase(inject('databaseUrl'));
  onTestFinished(() => dropDatabase(url));
  return url;
}

/** Runs SQL as one simple query; returns the rows of its last statement. */
export async function runSql<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const results = await client.query<Row>(sql);
    return (Array.isArray(results) ? results.at(-1) : results).rows;
  } finally {
    await client.end();
  }
}

/** A database with one of nearly everything. */
export async function makeRichDatabase(): Promise<string> {
  const url = await makeDatabase();
  await runSql(url, readFileSync(new URL('../../support/rich.sql', import.meta.url), 'utf8'));
  return url;
}

/** Fills a database so that its dump is some 40 MB: more than all buffers on the way hold. */
export async function fillLarge(url: string): Promise<void> {
  await runSql(
    url,
    'create table large as select i as id, repeat(md5(i::text), 3) as text from generate_series(1, 400000) i',
  );
}

export function connectionTo(url: string, change: Partial<DatabaseAddress> = {}): DatabaseAddress {
  return { ...parseDatabaseUrl(url), ...change };
}

/** Starts a dump with our pg_dump. */
export function startDump(
  connection: DatabaseAddress,
  signal = new AbortController().signal,
  ...args: readonly string[]
) {
  return dumpDatabase({ connection, args: ['--restrict-key=test', ...args], clock: systemClock, signal });
}

/** A whole dump with our pg_dump. */
export async function dumpText(connection: DatabaseAddress, ...args: readonly string[]): Promise<string> {
  return (await buffer(startDump(connection, undefined, ...args))).toString();
}

/** A whole dump with another pg_dump. */
export async function nativeDumpText(program: string, url: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [url], { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** Leaves out the lines that name versions and the random key. */
export function normalized(dump: string): string {
  return dump.replace(/^(\\(un)?restrict|-- Dumped (from|by)) .*\n/gm, '');
}

/** What the server does for dumps of this database: one row per backend. */
export function dumpBackends(url: string) {
  return runSql<{ pid: number; wait_event: string | null }>(
    url,
    `select pid, wait_event from pg_stat_activity
     where application_name = 'pg_dump' and datname = current_database()`,
  );
}
