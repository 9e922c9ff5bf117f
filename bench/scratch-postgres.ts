import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import pg from 'pg';
import { pickFreePorts } from '../local/services/ports.ts';
import { startPostgres } from '../local/services/postgres.ts';
import { makeTemporaryFolder } from '../tests/support/temporary-folder.ts';

/** Runs PostgreSQL for as long as `work` takes, on a folder of its own, with the settings it comes with. */
export async function withPostgres(work: (databaseUrl: string) => Promise<void>): Promise<void> {
  const folder = makeTemporaryFolder();
  const [port = 0] = await pickFreePorts(1);
  const postgres = await startPostgres({ folder, port });
  try {
    await work(postgres.url);
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
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
