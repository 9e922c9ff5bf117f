import { type Kysely, sql } from 'kysely';

/**
 * The audit trail: who acted (`audit_actors`), what they did (`audit_log`), and the seals over it (`audit_seals`). Triggers
 * refuse whatever is not adding, for every role but a superuser who switches them off; the seals tell of that one.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createActors(db);
  await createLog(db);
  await createSeals(db);
  await createGuards(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table audit_seals, audit_log, audit_actors`.execute(db);
  await sql`drop function audit_log_guard, audit_seals_guard, audit_guard`.execute(db);
}

/** The pseudonym is the hash of salt and user, so nobody can put another name behind it. */
async function createActors(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_actors (
      pseudonym uuid primary key,
      user_id text not null unique check (char_length(user_id) between 1 and 200),
      salt bytea not null check (octet_length(salt) = 32)
    )`.execute(db);
}

/** No foreign keys: a pseudonym outlives its name, and a seal is compared with its rows and not trusted. */
async function createLog(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_log (
      id bigint generated always as identity primary key,
      at timestamptz(3) not null default now(),
      actor uuid not null,
      action text not null check (action ~ '^[a-z_]{1,40}[.][a-z_]{1,40}$'),
      object_type text not null check (char_length(object_type) between 1 and 40),
      object_id text not null check (char_length(object_id) between 1 and 200),
      subject uuid,
      result text not null check (result in ('done', 'refused')),
      correlation_id text not null check (char_length(correlation_id) between 1 and 128),
      client_address bytea,
      before jsonb check (octet_length(before::text) <= 16384),
      after jsonb check (octet_length(after::text) <= 16384),
      salt bytea check (octet_length(salt) = 16),
      personal_digest bytea not null check (octet_length(personal_digest) = 32),
      seal bigint
    )`.execute(db);
  const indexes = {
    audit_log_by_time: 'at desc, id desc',
    audit_log_by_actor: 'actor, at desc, id desc',
    audit_log_by_action: 'action, at desc, id desc',
    audit_log_by_object: 'object_type, object_id, at desc, id desc',
    audit_log_by_correlation: 'correlation_id',
    // Also finds those without a seal.
    audit_log_by_seal: 'seal, id',
  };
  for (const [name, columns] of Object.entries(indexes))
    await sql`create index ${sql.ref(name)} on audit_log (${sql.raw(columns)})`.execute(db);
  await sql`create index audit_log_by_subject on audit_log (subject) where subject is not null`.execute(db);
}

async function createSeals(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_seals (
      id bigint primary key check (id > 0),
      sealed_at timestamptz(3) not null,
      previous bytea check (octet_length(previous) = 32),
      rows bytea not null check (octet_length(rows) > 0),
      hash bytea not null check (octet_length(hash) = 32),
      archived_at timestamptz(3)
    )`.execute(db);
  await sql`create index audit_seals_to_archive on audit_seals (id) where archived_at is null`.execute(db);
}

/** Refusals say `insufficient_privilege`, as those of missing rights do. */
async function createGuards(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function audit_guard() returns trigger language plpgsql as $$
    begin
      raise exception 'the audit trail is only added to: % of % is refused', lower(tg_op), tg_table_name
        using errcode = 'insufficient_privilege';
    end $$`.execute(db);
  await sql`
    create function audit_log_guard() returns trigger language plpgsql as $$
    declare
      sealed_once constant boolean := old.seal is null or new.seal is not distinct from old.seal;
      erased constant boolean := num_nonnulls(new.client_address, new.before, new.after, new.salt) = 0;
      kept constant boolean := (new.before, new.after, new.salt) is not distinct from (old.before, old.after, old.salt)
        and (new.client_address is null) = (old.client_address is null);
    begin
      if sealed_once and (erased or kept)
        and (new.id, new.at, new.actor, new.action, new.object_type, new.object_id, new.subject, new.result,
             new.correlation_id, new.personal_digest)
        is not distinct from
            (old.id, old.at, old.actor, old.action, old.object_type, old.object_id, old.subject, old.result,
             old.correlation_id, old.personal_digest) then
        return new;
      end if;
      raise exception 'the audit trail is only added to: this change of a row is refused'
        using errcode = 'insufficient_privilege';
    end $$`.execute(db);
  await sql`
    create function audit_seals_guard() returns trigger language plpgsql as $$
    begin
      if (new.id, new.sealed_at, new.previous, new.rows, new.hash)
        is not distinct from (old.id, old.sealed_at, old.previous, old.rows, old.hash) then
        return new;
      end if;
      raise exception 'the audit trail is only added to: this change of a seal is refused'
        using errcode = 'insufficient_privilege';
    end $$`.execute(db);
  for (const table of ['audit_log', 'audit_seals']) {
    await sql`create trigger guard before update on ${sql.ref(table)} for each row
      execute function ${sql.ref(`${table}_guard`)}()`.execute(db);
    await sql`create trigger guard_all before delete or truncate on ${sql.ref(table)} for each statement
      execute function audit_guard()`.execute(db);
  }
  await sql`create trigger guard_all before update or truncate on audit_actors for each statement
    execute function audit_guard()`.execute(db);
}
