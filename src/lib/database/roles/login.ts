import { sql, type Transaction } from 'kysely';
import type { Deployer } from '../deployer.ts';
import { RoleError } from './role-error.ts';
import { actingRoles, roleNotes } from './role-names.ts';

/** The role that the app logs in as. */
export interface LoginRequest {
  /** The name of the app's identity, where that is what it logs in with. */
  readonly login: string;
  /** Object id of that identity: the login is made where it is missing, and bound to it. */
  readonly entraObjectId?: string | undefined;
}

/** Longer names the server would cut off without a word. */
const maxNameBytes = 63;

/**
 * Kept by the server on every connection of the app, for when the app's own limits do not reach it. A request may take
 * 220 s; what must take longer (a dump, the snapshot behind one) sets its own.
 */
const limits = {
  statement_timeout: '240s',
  idle_in_transaction_session_timeout: '240s',
  // A query whose client has gone ends within a second.
  client_connection_check_interval: '1s',
};

/** A role as it matters for a login. */
interface FoundRole {
  readonly canLogin: boolean;
  /** May do what no app should: `superuser`, `createrole`, … */
  readonly powers: readonly string[];
  /** Roles besides ours that it is a member of. */
  readonly memberOf: readonly string[];
}

/**
 * Makes the login where it is missing and can be made, and binds it to the identity.
 *
 * @returns the login, if it was made
 * @throws RoleError when it is missing, or may do more than an app should
 */
export async function ensureLogin(
  trx: Transaction<unknown>,
  deployer: Deployer,
  { login, entraObjectId }: LoginRequest,
): Promise<string[]> {
  if (Buffer.byteLength(login) > maxNameBytes) {
    throw new RoleError(`${login} is too long for the name of a role: ${maxNameBytes} bytes is the most`);
  }
  const found = await findRole(trx, login);
  if (found) refuseMighty(found, deployer, login);
  else if (entraObjectId === undefined) {
    throw new RoleError(
      `There is no role ${login}: create it with a password, or give the object id of the identity that it is for`,
    );
  } else await sql`create role ${sql.id(login)} login noinherit`.execute(trx);
  if (entraObjectId !== undefined) await bindToIdentity(trx, login, entraObjectId);
  return found ? [] : [login];
}

async function findRole(trx: Transaction<unknown>, name: string): Promise<FoundRole | undefined> {
  const { rows } = await sql<FoundRole>`
    select rolcanlogin as "canLogin",
           array_remove(array[
             case when rolsuper then 'superuser' end, case when rolcreaterole then 'createrole' end,
             case when rolcreatedb then 'createdb' end, case when rolreplication then 'replication' end,
             case when rolbypassrls then 'bypassrls' end,
             case when login.oid in (select datdba from pg_database where datname = current_database()
               union all select nspowner from pg_namespace where nspname = 'public'
               union all select refobjid from pg_shdepend where deptype = 'o' and dbid in (
                 select oid from pg_database where datname = current_database()))
               then 'owner of the database or of what is in it' end], null) as powers,
           array(
             select roleid::regrole::text from pg_auth_members m join pg_roles r on r.oid = m.roleid
             where m.member = login.oid and r.rolname not in (${sql.join(actingRoles)})) as "memberOf"
    from pg_roles login where rolname = ${name}`.execute(trx);
  return rows[0];
}

function refuseMighty({ canLogin, powers, memberOf }: FoundRole, deployer: Deployer, login: string): void {
  if (login === deployer.name) throw new RoleError(`${login} cannot be the login of the app: it deploys it`);
  if (Object.hasOwn(roleNotes, login) || !canLogin)
    throw new RoleError(`${login} is a role that nobody logs in as`);
  if (powers.length > 0) {
    throw new RoleError(`${login} may do more than an app should: it is ${powers.join(', ')}`);
  }
  if (memberOf.length > 0) {
    throw new RoleError(
      `${login} may do more than an app should: it is a member of ${memberOf.join(', ')}, which would have to be revoked`,
    );
  }
}

/**
 * Azure keeps in a label which identity a role is for. Its function `pgaadauth_create_principal_with_oid` does the same,
 * but only in the database `postgres`, only for a role that is not there yet, and outside of this transaction.
 * https://learn.microsoft.com/azure/postgresql/security/security-manage-entra-users
 */
async function bindToIdentity(trx: Transaction<unknown>, login: string, objectId: string): Promise<void> {
  const label = `aadauth,oid=${objectId},type=service`;
  try {
    await sql`security label for "pgaadauth" on role ${sql.id(login)} is ${sql.lit(label)}`.execute(trx);
  } catch (error) {
    if (!/provider "pgaadauth" is not loaded/.test((error as Error).message)) throw error;
    throw new RoleError(
      `This server knows no identities of Microsoft Entra: create the role ${login} with a password, and leave the object id out`,
      { cause: error },
    );
  }
}

/**
 * Lets the login take on its roles. It inherits nothing of them, so that a dump can read everything and a request
 * cannot; it starts out as `app`.
 */
export async function letLoginAct(
  trx: Transaction<unknown>,
  { serverVersion }: Deployer,
  login: string,
): Promise<void> {
  const role = sql.id(login);
  const options = serverVersion >= 160_000 ? sql` with inherit false, set true` : sql``;
  await sql`alter role ${role} noinherit`.execute(trx);
  await sql`grant ${sql.join(actingRoles.map((name) => sql.id(name)))} to ${role}${options}`.execute(trx);
  await sql`alter role ${role} set role = 'app'`.execute(trx);
  for (const [name, value] of Object.entries(limits)) {
    await sql`alter role ${role} set ${sql.raw(name)} = ${sql.lit(value)}`.execute(trx);
  }
  const { rows } = await sql<{ database: string; mayConnect: boolean }>`
    select current_database() as database,
           has_database_privilege(${login}, current_database(), 'CONNECT') as "mayConnect"`.execute(trx);
  const [place] = rows;
  if (place && !place.mayConnect)
    await sql`grant connect on database ${sql.id(place.database)} to ${role}`.execute(trx);
}
