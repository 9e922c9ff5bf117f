import { type Kysely, sql } from 'kysely';

/** Who made an API key, and when it was used last. An older version leaves both empty. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table api_keys add column created_by text, add column last_used_at timestamptz(3)`.execute(
    db,
  );
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table api_keys drop column created_by, drop column last_used_at`.execute(db);
}
