import { type Kysely, sql } from 'kysely';

/**
 * Projects, API keys, files and jobs. Times have milliseconds, so that they survive the way through JavaScript unchanged.
 * They come from the clocks of several machines, so no rule demands that of two close moments the later one is the greater.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table projects (
      id uuid primary key,
      name text not null check (char_length(name) between 1 and 200),
      created_at timestamptz(3) not null default now()
    )`.execute(db);
  await sql`
    create table project_members (
      project_id uuid not null references projects on delete cascade,
      user_id text not null check (char_length(user_id) between 1 and 200),
      created_at timestamptz(3) not null default now(),
      primary key (project_id, user_id)
    )`.execute(db);
  await sql`create index project_members_by_user on project_members (user_id)`.execute(db);
  await sql`
    create table api_keys (
      id text primary key,
      name text not null check (char_length(name) between 1 and 200),
      hash bytea not null,
      scopes text[] not null,
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) check (expires_at > created_at),
      revoked_at timestamptz(3)
    )`.execute(db);
  await sql`
    create table files (
      id uuid primary key,
      name text not null check (char_length(name) between 1 and 255),
      content_type text not null,
      size bigint not null check (size >= 0),
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      status text not null check (status in ('pending', 'available', 'quarantined', 'deleted')),
      metadata jsonb not null default '{}',
      project_id uuid references projects,
      owner_id text not null,
      container text not null,
      blob_name text not null,
      version uuid not null default gen_random_uuid(),
      created_at timestamptz(3) not null,
      uploaded_at timestamptz(3),
      deleted_at timestamptz(3),
      trashed_at timestamptz(3) check (trashed_at is null or deleted_at is not null)
    )`.execute(db);
  await sql`create index files_by_owner on files (owner_id, created_at desc, id desc)`.execute(db);
  await sql`create index files_by_project on files (project_id, created_at desc, id desc)`.execute(db);
  await sql`create index files_by_creation on files (created_at desc, id desc)`.execute(db);
  await sql`create index files_pending on files (created_at) where status = 'pending'`.execute(db);
  await sql`create index files_to_trash on files (deleted_at) where status = 'deleted' and trashed_at is null`.execute(
    db,
  );
  await sql`create index files_by_upload on files (uploaded_at, id)`.execute(db);
  await sql`
    create table jobs (
      id uuid primary key,
      kind text not null,
      subject text not null,
      status text not null check (status in ('queued', 'running', 'succeeded', 'failed')),
      attempts integer not null default 0 check (attempts >= 0),
      claimed_until timestamptz(3) check (claimed_until is null or status = 'running'),
      error_code text,
      created_at timestamptz(3) not null default now(),
      finished_at timestamptz(3),
      check ((finished_at is not null) = (status in ('succeeded', 'failed')))
    )`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['jobs', 'files', 'api_keys', 'project_members', 'projects']) {
    await sql`drop table ${sql.table(table)}`.execute(db);
  }
}
