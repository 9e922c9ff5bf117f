import { readFileSync } from 'node:fs';
import os from 'node:os';
import pg from 'pg';
import { startOwnPostgres } from '../tests/support/own-postgres.ts';

/** Runs PostgreSQL for as long as `work` takes, on a folder of its own, with the settings it comes with. */
export async function withPostgres(work: (databaseUrl: string) => Promise<void>): Promise<void> {
  const { url, stop } = await startOwnPostgres({ temporary: false });
  try {
    await work(url);
  } finally {
    await stop();
  }
}

/** Connects for as long as `work` takes. */
export async function withConnection<T>(url: string, work: (sql: pg.Client) => Promise<T>): Promise<T> {
  const sql = new pg.Client(url);
  await sql.connect();
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

/** What a figure depends on beside the code: one line. */
export async function describeMachine(sql: pg.Client): Promise<string> {
  const { rows } = await sql.query<{ version: string }>(
    `select current_setting('server_version') as version`,
  );
  const [cpu] = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
  return `PostgreSQL ${rows[0]?.version}, ${os.cpus().length} × ${cpu?.model.trim() || 'unknown processor'}, ${memory} GiB, load ${load} at the start`;
}

/** The middle one of the numbers by size. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
