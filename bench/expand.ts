import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { runCommand } from '../local/command.ts';
import { migrateToLatest, parseDatabaseUrl } from '../src/lib/database/index.ts';
import { createDatabase } from '../tests/support/databases.ts';
import { createTablesOnAws } from '../tests/support/on-aws.ts';
import { describeMachine, withConnection, withPostgres } from './scratch-postgres.ts';

/* `npm run bench:expand`: how long a version that is running has to wait while its tables are moved under it, as a table for
   docs/performance.md; against the same change in one transaction. */

const rowsPerTable = 1_000_000;

/** What the version on AWS does all the time, each on a connection of its own. `$1` is some number of a row. */
const requests = {
  read: 'select * from image_jobs where id = md5($1)::uuid::text',
  change: `update image_jobs set error_message = 'x' where id = md5($1)::uuid::text`,
  add: `insert into scan_history (user_id, barcode, s3_url) values (1, $1, 's3://b/k')`,
};

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

await runCommand(() =>
  withPostgres(async (databaseUrl) => {
    const ours = await measure(
      databaseUrl,
      async (url) => void (await migrateToLatest(parseDatabaseUrl(url))),
    );
    const theirs = await measure(databaseUrl, (url) =>
      withConnection(url, async (sql) => void (await sql.query(inOneTransaction))),
    );
    console.log(`${ours.machine}; ${rowsPerTable.toLocaleString('en')} rows per table.\n`);
    console.log('| | in one transaction | `crownsafe migrate up` | ratio |\n|---|---|---|---|');
    for (const request of Object.keys(requests) as (keyof typeof requests)[])
      console.log(
        line(
          `longest wait of a ${request === 'add' ? 'new row' : request}`,
          theirs.longest[request],
          ours.longest[request],
        ),
      );
    console.log(line('the whole change', theirs.milliseconds, ours.milliseconds));
  }),
);

function line(what: string, theirs: number, ours: number): string {
  return `| ${what} | ${theirs.toFixed(0)} ms | ${ours.toFixed(0)} ms | ${(theirs / ours).toFixed(1)} × |`;
}

/** Makes the tables as on AWS, and changes them while the version on AWS is at work. */
async function measure(databaseUrl: string, change: (url: string) => Promise<void>) {
  const url = await createDatabase(databaseUrl);
  const machine = await withConnection(url, async (sql) => {
    const description = await describeMachine(sql);
    await createTablesOnAws(sql, rowsPerTable);
    await sql.query('vacuum analyze');
    return description;
  });
  const stop = new AbortController();
  const working = Object.entries(requests).map(([, statement]) =>
    withConnection(url, (sql) => repeat(sql, statement, stop.signal)),
  );
  const startedAt = performance.now();
  await change(url);
  const milliseconds = performance.now() - startedAt;
  stop.abort();
  const [read = 0, changed = 0, added = 0] = await Promise.all(working);
  return { machine, milliseconds, longest: { read, change: changed, add: added } };
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
