import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DeployerDb } from '../deployer.ts';
import { ownedRelations } from './ownership.ts';
import { schemaOwner } from './role-names.ts';

/** What a role may do with tables and sequences. Not: TRUNCATE, which no row's history survives; DDL; references and triggers. */
interface Rights {
  readonly role: string;
  readonly tables: RawBuilder<unknown>;
  readonly sequences: RawBuilder<unknown>;
}

const readOnly = (role: string): Rights => ({ role, tables: sql`select`, sequences: sql`select` });
const appRights: Rights = {
  role: 'app',
  tables: sql`select, insert, update, delete`,
  sequences: sql`usage`,
};

/** What `app` may not do with a table, and what of it all the same. */
interface Narrowed {
  readonly table: string;
  readonly revoked: RawBuilder<unknown>;
  readonly kept?: RawBuilder<unknown>;
}

const narrowed: readonly Narrowed[] = [
  // Kysely's own: the app may see what has run, but not say that something has.
  { table: 'kysely_migration', revoked: sql`insert, update, delete` },
  { table: 'kysely_migration_lock', revoked: sql`insert, update, delete` },
  // The audit trail is added to; sealed, erased from and encrypted anew, within what its triggers let through.
  {
    table: 'audit_log',
    revoked: sql`update, delete`,
    kept: sql`update (seal, client_address, before, after, salt)`,
  },
  { table: 'audit_seals', revoked: sql`update, delete`, kept: sql`update (archived_at)` },
  // The right to change a column is what locking a row takes; a trigger refuses the change.
  { table: 'audit_actors', revoked: sql`update`, kept: sql`update (pseudonym)` },
];

/**
 * Grants what is there and, as defaults of the owner, what later migrations make.
 *
 * @returns whether `backup` reads everything, or only the schema `public`
 */
export async function grantToRoles(
  trx: Transaction<unknown>,
): Promise<{ readonly backupReadsEverything: boolean }> {
  const backupReadsEverything = await letReadEverything(trx);
  await sql`set local role ${sql.id(schemaOwner)}`.execute(trx);
  for (const rights of [
    appRights,
    readOnly('verify'),
    ...(backupReadsEverything ? [] : [readOnly('backup')]),
  ]) {
    await grant(trx, rights);
  }
  await narrowRights(trx);
  await sql`reset role`.execute(trx);
  return { backupReadsEverything };
}

/** In Azure an administrator may grant this role; elsewhere perhaps only a superuser. */
async function letReadEverything(trx: Transaction<unknown>): Promise<boolean> {
  const { rows } = await sql<{ granted: boolean }>`
    select pg_has_role('backup', 'pg_read_all_data', 'USAGE') as granted`.execute(trx);
  if (rows[0]?.granted) return true;
  await sql`savepoint before_grant`.execute(trx);
  try {
    await sql`grant pg_read_all_data to backup`.execute(trx);
    return true;
  } catch {
    await sql`rollback to savepoint before_grant`.execute(trx);
    return false;
  }
}

async function grant(trx: Transaction<unknown>, { role, ...rights }: Rights): Promise<void> {
  const { tables, sequences } = await ownedRelations(trx);
  if (tables.length > 0) {
    await sql`grant ${rights.tables} on table ${sql.join(tables)} to ${sql.id(role)}`.execute(trx);
  }
  if (sequences.length > 0) {
    await sql`grant ${rights.sequences} on sequence ${sql.join(sequences)} to ${sql.id(role)}`.execute(trx);
  }
  const defaults = sql`alter default privileges in schema public`;
  await sql`${defaults} grant ${rights.tables} on tables to ${sql.id(role)}`.execute(trx);
  await sql`${defaults} grant ${rights.sequences} on sequences to ${sql.id(role)}`.execute(trx);
}

/** Takes from the app what it need not do with some tables. Needs the rights of the owner. */
export async function narrowRights(db: DeployerDb): Promise<void> {
  for (const { table, revoked, kept } of narrowed) {
    // Of a table that is in use nothing is taken, not even for a moment, that is given back.
    const { rows } = await sql`
      select from pg_class
      where oid = to_regclass(${`public.${table}`}) and has_table_privilege('app', oid, 'update')`.execute(
      db,
    );
    if (rows.length === 0) continue;
    await sql`revoke ${revoked} on table public.${sql.id(table)} from app`.execute(db);
    if (kept) await sql`grant ${kept} on table public.${sql.id(table)} to app`.execute(db);
  }
}
