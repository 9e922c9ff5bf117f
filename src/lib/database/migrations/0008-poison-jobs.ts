import { type Kysely, sql } from 'kysely';

/**
 * Jobs that are given up (`poison`), what went wrong with them, and when they were called for. A version that does not know the
 * status takes such a job for one that is over, and leaves the new columns to their defaults.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table jobs
      add column max_attempts integer not null default 10 check (max_attempts >= 0),
      add column queued_at timestamptz(3) not null default now(),
      add column started_at timestamptz(3),
      add column error_message text check (char_length(error_message) <= 500),
      add column error_detail text check (char_length(error_detail) <= 2000),
      drop constraint jobs_status_check,
      drop constraint jobs_check1,
      add constraint jobs_status_check check (status in ('queued', 'running', 'succeeded', 'failed', 'poison')),
      add constraint jobs_end_check check ((finished_at is not null) = (status in ('succeeded', 'failed', 'poison')))`.execute(
    db,
  );
  await sql`create index jobs_by_creation on jobs (created_at desc, id desc)`.execute(db);
  await sql`create index jobs_by_status on jobs (status, created_at desc, id desc)`.execute(db);
  await sql`create index jobs_by_end on jobs (finished_at) where finished_at is not null`.execute(db);
}

/** What was given up is then called failed. */
export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`update jobs set status = 'failed' where status = 'poison'`.execute(db);
  await sql`
    alter table jobs
      drop constraint jobs_status_check,
      drop constraint jobs_end_check,
      add constraint jobs_status_check check (status in ('queued', 'running', 'succeeded', 'failed')),
      add constraint jobs_check1 check ((finished_at is not null) = (status in ('succeeded', 'failed'))),
      drop column max_attempts,
      drop column queued_at,
      drop column started_at,
      drop column error_message,
      drop column error_detail`.execute(db);
  for (const index of ['jobs_by_creation', 'jobs_by_status', 'jobs_by_end'])
    await sql`drop index if exists ${sql.ref(index)}`.execute(db);
}
