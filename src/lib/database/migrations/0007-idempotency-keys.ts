import { type Kysely, sql } from 'kysely';

/**
 * The keys under which clients repeat requests, and what they were answered. A table that no older version knows, so
 * both work beside each other; what the roles may do with it follows from the defaults of the owner.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The answer is json and not jsonb: it is sent again as it was, its names in their order.
  await sql`
    create table idempotency_keys (
      caller text not null,
      route text not null,
      key text not null check (key ~ '^[!-~]{1,255}$'),
      fingerprint bytea not null check (octet_length(fingerprint) = 32),
      claim uuid not null,
      claimed_until timestamptz(3) not null,
      reserved text,
      answer_status smallint,
      answer_headers json,
      answer_body json check (octet_length(answer_body::text) <= 65536),
      created_at timestamptz(3) not null default now(),
      expires_at timestamptz(3) not null check (expires_at > claimed_until),
      primary key (caller, route, key),
      check ((answer_status is null) = (answer_headers is null)),
      check (answer_body is null or answer_status is not null)
    )`.execute(db);
  await sql`create index idempotency_keys_by_expiry on idempotency_keys (expires_at)`.execute(db);
}

/** Drops the keys: a request that is repeated after that is carried out again. */
export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table idempotency_keys`.execute(db);
}
