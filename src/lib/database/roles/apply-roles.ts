import { sql, type Transaction } from 'kysely';
import type { DatabaseAddress } from '../address.ts';
import { type Deployer, describeDeployer, withSoleDeployer } from '../deployer.ts';
import { grantToRoles } from './grants.ts';
import { ensureLogin, type LoginRequest, letLoginAct } from './login.ts';
import { adoptObjects } from './ownership.ts';
import { RoleError } from './role-error.ts';
import { notePrefix, roleNotes, schemaOwner } from './role-names.ts';

/** What has been changed; a second run changes nothing. */
export interface AppliedRoles {
  /** Roles that were missing. */
  readonly made: readonly string[];
  /** Tables, views, sequences, routines and types that belonged to somebody else. */
  readonly adopted: readonly string[];
  /** False where the server does not let us grant `pg_read_all_data`; then dumps can hold what is in the schema `public`. */
  readonly backupReadsEverything: boolean;
}

/**
 * Makes the roles of least privilege and the grants between them, or mends them: all or nothing, in one transaction,
 * one at a time in a database, and not while somebody migrates. Roles are the server's, so one server holds one Crown Safe. Nothing is ever dropped.
 *
 * @param address - of the database whose tables the roles are for, as a superuser, or as one who may create roles and
 *   owns the schema `public` (in Azure: a Microsoft Entra administrator of the server)
 * @throws RoleError when something is in the way
 */
export function applyRoles(address: DatabaseAddress, request: LoginRequest): Promise<AppliedRoles> {
  return withSoleDeployer(address, async (db) => {
    const deployer = await describeDeployer(db);
    try {
      return await db.transaction().execute((trx) => apply(trx, deployer, request));
    } catch (error) {
      throw explained(error, deployer);
    }
  });
}

async function apply(
  trx: Transaction<unknown>,
  deployer: Deployer,
  request: LoginRequest,
): Promise<AppliedRoles> {
  // Taking tables over waits for whoever uses them, and all others then wait behind us.
  await sql`set local lock_timeout = '5s'`.execute(trx);
  const made = await makeRoles(trx);
  made.push(...(await ensureLogin(trx, deployer, request)));
  if (!deployer.isSuperuser) await joinOwners(trx, deployer);
  await openSchema(trx);
  const adopted = await adoptObjects(trx);
  const { backupReadsEverything } = await grantToRoles(trx);
  await letLoginAct(trx, deployer, request.login);
  return { made, adopted, backupReadsEverything };
}

/** A role of the same name that somebody made for something else would open our tables to whoever has it. */
async function makeRoles(trx: Transaction<unknown>): Promise<string[]> {
  const names = Object.keys(roleNotes);
  const { rows } = await sql<{ name: string; note: string | null }>`
    select rolname as name, shobj_description(oid, 'pg_authid') as note
    from pg_roles where rolname in (${sql.join(names)})`.execute(trx);
  const foreign = rows.find(({ note }) => !note?.startsWith(notePrefix));
  if (foreign) {
    throw new RoleError(
      `The server has a role ${foreign.name} already, which was not made by this command. If it is meant to be the one of Crown Safe: comment on role ${foreign.name} is '${roleNotes[foreign.name]}'`,
    );
  }
  const missing = names.filter((name) => !rows.some((row) => row.name === name));
  for (const name of missing) {
    await sql`create role ${sql.id(name)} nologin`.execute(trx);
    await sql`comment on role ${sql.id(name)} is ${sql.lit(roleNotes[name])}`.execute(trx);
  }
  return missing;
}

/** Who makes a role may from 16 on hand it out, but is no member. */
async function joinOwners(trx: Transaction<unknown>, { name, serverVersion }: Deployer): Promise<void> {
  const options = serverVersion >= 160_000 ? sql` with inherit true, set true` : sql``;
  await sql`grant ${sql.id(schemaOwner)} to ${sql.id(name)}${options}`.execute(trx);
}

/** Who may do what in the schema. A grant of one who may not grant is only a warning, so it is looked at afterwards. */
async function openSchema(trx: Transaction<unknown>): Promise<void> {
  await sql`revoke create on schema public from public`.execute(trx);
  await sql`grant usage, create on schema public to ${sql.id(schemaOwner)}`.execute(trx);
  await sql`grant usage on schema public to app, backup, verify`.execute(trx);
  const { rows } = await sql<{ owner: string; done: boolean }>`
    select nspowner::regrole::text as owner,
           has_schema_privilege(${schemaOwner}, oid, 'CREATE') and not has_schema_privilege('app', oid, 'CREATE') as done
    from pg_namespace where nspname = 'public'`.execute(trx);
  const [schema] = rows;
  if (!schema?.done) {
    throw new RoleError(
      `The schema public belongs to ${schema?.owner}: run this as the owner of the database, or as a superuser`,
    );
  }
}

/** SQLSTATEs of what the deployer may not do, and of a lock that was not to be had in time. */
const forbidden = '42501';
const lockNotAvailable = '55P03';

function explained(error: unknown, { name }: Deployer): unknown {
  const { code, message = '', detail } = error as { code?: unknown; message?: string; detail?: string };
  const words = detail ? `${message} (${detail})` : message;
  if (code === forbidden) {
    return new RoleError(
      `${name} may not do all that is needed: ${words}. Run this as who made the roles and tables, or as a superuser`,
      { cause: error },
    );
  }
  if (code === lockNotAvailable) {
    return new RoleError(`Somebody has been using a table for too long: ${words}. Try again`, {
      cause: error,
    });
  }
  return error;
}
