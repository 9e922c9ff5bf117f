import { type Kysely, sql } from 'kysely';

/**
 * Who has shown bad credentials, and who is held back for it. A table that no older version knows, so both work beside each
 * other; what the roles may do with it follows from the defaults of the owner.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table credential_failures (
      subject bytea primary key check (octet_length(subject) = 32),
      failed_at timestamptz(3)[] not null check (cardinality(failed_at) < 20),
      blocked_until timestamptz(3),
      expires_at timestamptz(3) not null check (expires_at >= blocked_until)
    )`.execute(db);
  await sql`create index credential_failures_by_expiry on credential_failures (expires_at)`.execute(db);
  await sql`
    create index credential_failures_by_block on credential_failures (blocked_until)
    where blocked_until is not null`.execute(db);
}

/** Drops the counts: nobody is held back any more. */
export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table credential_failures`.execute(db);
}
