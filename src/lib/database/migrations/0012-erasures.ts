import { type Kysely, sql } from 'kysely';

/**
 * Whose data is to be erased, for as long as that is under way: a job is kept for weeks after its end, so it must not name
 * them. A row goes when the erasure is done, at the latest with its job.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table erasures (
      id uuid primary key,
      job_id uuid not null unique references jobs on delete cascade,
      user_id text not null check (char_length(user_id) between 1 and 200),
      created_at timestamptz(3) not null
    )`.execute(db);
}

/** An erasure that is under way then finds nothing to do, and has to be asked for again. */
export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table erasures`.execute(db);
}
