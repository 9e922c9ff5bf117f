import { sql } from 'kysely';
import type { DeployerDb } from '../deployer.ts';
import { narrowRights } from './grants.ts';
import { RoleError } from './role-error.ts';
import { schemaOwner } from './role-names.ts';

/** The role that the tables belong to, as seen by who is logged in. */
export interface Owner {
  readonly user: string;
  readonly mayAct: boolean;
  /** May see which migrations have run. */
  readonly mayRead: boolean;
}

/** `undefined` where no roles have been applied to this database. */
export async function findOwner(db: DeployerDb): Promise<Owner | undefined> {
  const { rows } = await sql<Owner>`
    select session_user as user,
           pg_has_role(session_user, owner.oid,
             case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end
           ) as "mayAct",
           coalesce(has_table_privilege(to_regclass('public.kysely_migration'), 'SELECT'), false) as "mayRead"
    from pg_namespace, aclexplode(nspacl) as granted join pg_roles owner on owner.oid = granted.grantee
    where nspname = 'public' and privilege_type = 'CREATE' and rolname = ${schemaOwner}`.execute(db);
  return rows[0];
}

/**
 * Migrates as the owner, so that what is made belongs to it, whoever deploys. The connection stays that role.
 *
 * @throws RoleError when who is logged in may not act as the owner
 */
export async function asOwner<T>(
  db: DeployerDb,
  owner: Owner | undefined,
  migrate: () => Promise<T>,
): Promise<T> {
  if (!owner) return migrate();
  const { user, mayAct } = owner;
  if (!mayAct) {
    throw new RoleError(
      `The tables belong to ${schemaOwner}, which ${user} may not act as: crownsafe roles apply, run by ${user}, lets it`,
    );
  }
  await sql`set role ${sql.id(schemaOwner)}`.execute(db);
  const result = await migrate();
  await narrowRights(db);
  return result;
}
