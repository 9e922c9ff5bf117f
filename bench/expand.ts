import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { runCommand } from '../local/command.ts';
import {
  type DatabaseAddress,
  migrateDown,
  migrateToLatest,
  parseDatabaseUrl,
  repoint,
} from '../src/lib/database/index.ts';
import { createDatabase } from '../tests/support/databases.ts';
import { createTablesOnAws, moveFromAws } from '../tests/support/on-aws.ts';
import { describeMachine, withConnection, withPostgres } from './scratch-postgres.ts';

/* `npm run bench:expand`: how long a version that is running has to wait while its tables are moved under it, as tables for
   docs/performance.md; against the same change in one transaction. */

const rowsPerTable = 1_000_000;

/** What the version on AWS does all the time, each on a connection of its own. `$1` is some number of a row. */
const requests = {
  read: 'select * from image_jobs where id = md5($1)::uuid::text',
  change: `update image_jobs set error_message = 'x' where id = md5($1)::uuid::text`,
  add: 'insert into scan_history (user_id, barcode) values (1, $1)',
};

type Request = keyof typeof requests;

/** The same change as most tools do it. */
const inOneTransaction = `
  begin;
  ${['scan_history', 'content_snapshot', 'image_jobs']
    .map(
      (table) => `
        alter table ${table} add column if not exists s3_url text, add column if not exists s3_bucket text,
          add column if not exists s3_key text, add column if not exists s3_presigned_url text;
        alter table ${table} add column blob_url text, add column blob_container text, add column blob_name text,
          add column blob_sas_url text, add column owner_id text;
        update ${table} set blob_url = s3_url, blob_container = s3_bucket, blob_name = s3_key,
          blob_sas_url = s3_presigned_url, owner_id = user_id::text;`,
    )
    .join('')}
  alter table image_jobs add column next_attempt_at timestamptz not null default now();
  create unique index scan_history_by_scan_id on scan_history (scan_id);
  create index scan_history_by_owner on scan_history (owner_id, scan_timestamp desc, id desc);
  create index scan_history_by_time on scan_history (scan_timestamp, id);
  create index content_snapshot_by_content on content_snapshot (content_id, created_at desc, id desc);
  create index image_jobs_queued on image_jobs (next_attempt_at, id) where status = 'QUEUED';
  commit`;

/** The steps of docs/migrate-from-aws.md, forth and back. */
const steps: Readonly<Record<string, (address: DatabaseAddress) => Promise<unknown>>> = {
  'migrate up': (address) => migrateToLatest(address),
  'migrate repoint': (address) => repoint(address, moveFromAws),
  'migrate up --contract': (address) => migrateToLatest(address, { contract: true }),
  'migrate down': (address) => migrateDown(address),
};

await runCommand(() =>
  withPostgres(async (databaseUrl) => {
    const machine = await withConnection(databaseUrl, describeMachine);
    console.log(`${machine}; ${rowsPerTable.toLocaleString('en')} rows per table.\n`);
    const url = await prepare(databaseUrl);
    const ours: Record<string, Outcome> = {};
    for (const [name, step] of Object.entries(steps))
      ours[name] = await during(url, () => step(parseDatabaseUrl(url)));
    const other = await prepare(databaseUrl);
    const one = await during(other, () => withConnection(other, (sql) => sql.query(inOneTransaction)));
    print(ours, one);
  }),
);

/** How long a step took, and how long the slowest of each request that came meanwhile, in milliseconds. */
interface Outcome {
  readonly milliseconds: number;
  readonly longest: Readonly<Record<Request, number>>;
}

function print(ours: Readonly<Record<string, Outcome>>, one: Outcome): void {
  console.log(
    '| step | takes | longest wait of a read | of a change | of a new row |\n|---|---|---|---|---|',
  );
  const rows = Object.entries(ours).map(([name, outcome]) => [`\`crownsafe ${name}\``, outcome] as const);
  for (const [name, { milliseconds, longest }] of [
    ['as `migrate up`, in one transaction', one] as const,
    ...rows,
  ]) {
    const waits = [longest.read, longest.change, longest.add].map((wait) => `${seconds(wait)}`);
    console.log(`| ${[name, seconds(milliseconds), ...waits].join(' | ')} |`);
  }
  const up = ours['migrate up']?.longest;
  const ratios = (Object.keys(requests) as Request[]).map(
    (name) => one.longest[name] / (up?.[name] ?? Number.NaN),
  );
  console.log(`| ratio of the first two | | ${ratios.map((ratio) => `${ratio.toFixed(0)} ×`).join(' | ')} |`);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(2)} s`;
}

/** Makes a database with the tables as they are on AWS. */
async function prepare(databaseUrl: string): Promise<string> {
  const url = await createDatabase(databaseUrl);
  await withConnection(url, async (sql) => {
    await createTablesOnAws(sql, rowsPerTable);
    await sql.query('vacuum analyze');
  });
  return url;
}

/** Takes a step while requests come. */
async function during(url: string, step: () => Promise<unknown>): Promise<Outcome> {
  const stop = new AbortController();
  const working = Object.values(requests).map((text) =>
    withConnection(url, (sql) => repeat(sql, text, stop.signal)),
  );
  const startedAt = performance.now();
  await step();
  const milliseconds = performance.now() - startedAt;
  stop.abort();
  const [read = 0, change = 0, add = 0] = await Promise.all(working);
  return { milliseconds, longest: { read, change, add } };
}

/** Asks again and again; returns how long the slowest took, in milliseconds. */
async function repeat(sql: pg.Client, statement: string, stop: AbortSignal): Promise<number> {
  let longest = 0;
  while (!stop.aborted) {
    const askedAt = performance.now();
    await sql.query(statement, [String(Math.ceil(Math.random() * rowsPerTable))]);
    longest = Math.max(longest, performance.now() - askedAt);
    await delay(2);
  }
  return longest;
}
