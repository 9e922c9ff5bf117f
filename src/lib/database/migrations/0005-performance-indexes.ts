import { type Kysely, sql } from 'kysely';

/** CREATE INDEX CONCURRENTLY, which keeps nobody from writing, cannot run in a transaction. */
export const ownTransactions = true;

/** The queries they serve, and what they gain, are in docs/performance.md. */
const indexes = {
  scan_history_by_scan_id: 'scan_history (scan_id)',
  scan_history_by_owner: 'scan_history (owner_id, scan_timestamp desc, id desc)',
  scan_history_by_time: 'scan_history (scan_timestamp, id)',
  content_snapshot_by_content: 'content_snapshot (content_id, created_at desc, id desc)',
  image_jobs_queued: "image_jobs (next_attempt_at, id) where status = 'QUEUED'",
};

const unique = ['scan_history_by_scan_id'];

/** The indexes of the tables of Crown Safe. Waits for transactions that began before it; can be run again after a break. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [name, on] of Object.entries(indexes)) {
    await dropUnfinished(db, name);
    const kind = unique.includes(name) ? 'unique index' : 'index';
    await sql`create ${sql.raw(kind)} concurrently if not exists ${sql.ref(name)} on ${sql.raw(on)}`.execute(
      db,
    );
  }
}

/** Drops the indexes. */
export async function down(db: Kysely<unknown>): Promise<void> {
  for (const name of Object.keys(indexes))
    await sql`drop index concurrently if exists ${sql.ref(name)}`.execute(db);
}

/** What a build that broke off leaves behind serves no query, but would pass for the index. */
async function dropUnfinished(db: Kysely<unknown>, name: string): Promise<void> {
  const { rows } =
    await sql`select from pg_index where indexrelid = to_regclass(${name}) and not indisvalid`.execute(db);
  if (rows.length > 0) await sql`drop index concurrently ${sql.ref(name)}`.execute(db);
}
