import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { DatabaseAddress } from './address.ts';
import { type DeployerDb, withDeployer } from './deployer.ts';
import * as foundation from './migrations/0001-foundation.ts';
import { protectMigrationTables } from './roles/grants.ts';
import { RoleError } from './roles/role-error.ts';
import { schemaOwner } from './roles/role-names.ts';

/** In order of their names; a migration that has run anywhere is never changed, only followed by another. */
const migrations: Record<string, Migration> = {
  '0001-foundation': foundation,
};

/** One migration and when it ran, if it has. */
export interface MigrationState {
  readonly name: string;
  readonly executedAt: Date | undefined;
}

/**
 * Runs all migrations that have not run, in one transaction, under a lock: two deployments at once do it once. Where
 * roles have been applied, what is made belongs to the owner of the schema, whoever runs this.
 *
 * @returns the names of those that ran now
 * @throws the error of the failing statement, and then nothing has changed; RoleError when the schema is another's
 */
export function migrateToLatest(address: DatabaseAddress): Promise<string[]> {
  return change(address, (migrator) => migrator.migrateToLatest());
}

/** Undoes the newest migration. */
export function migrateDown(address: DatabaseAddress): Promise<string[]> {
  return change(address, (migrator) => migrator.migrateDown());
}

/** All migrations, oldest first. */
export function listMigrations(address: DatabaseAddress): Promise<MigrationState[]> {
  return withDeployer(address, async (db) =>
    (await migratorOn(db).getMigrations()).map(({ name, executedAt }) => ({ name, executedAt })),
  );
}

function change(
  address: DatabaseAddress,
  step: (migrator: Migrator) => ReturnType<Migrator['migrateDown']>,
): Promise<string[]> {
  return withDeployer(address, async (db) => {
    const hasRoles = await actAsOwner(db);
    const { error, results = [] } = await step(migratorOn(db));
    if (error) throw error;
    if (hasRoles) await protectMigrationTables(db);
    return results.map(({ migrationName }) => migrationName);
  });
}

function migratorOn(db: DeployerDb): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations } });
}

/**
 * Takes on the role that owns the schema, if roles have been applied to this database.
 *
 * @returns whether they have
 */
async function actAsOwner(db: DeployerDb): Promise<boolean> {
  const { rows } = await sql<{ user: string; mayAct: boolean }>`
    select session_user as user,
           pg_has_role(session_user, owner.oid,
             case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end
           ) as "mayAct"
    from pg_namespace, aclexplode(nspacl) as granted join pg_roles owner on owner.oid = granted.grantee
    where nspname = 'public' and privilege_type = 'CREATE' and rolname = ${schemaOwner}`.execute(db);
  const [applied] = rows;
  if (!applied) return false;
  if (!applied.mayAct) {
    throw new RoleError(
      `The tables belong to ${schemaOwner}, which ${applied.user} may not act as: crownsafe roles apply, run by ${applied.user}, lets it`,
    );
  }
  await sql`set role ${sql.id(schemaOwner)}`.execute(db);
  return true;
}
