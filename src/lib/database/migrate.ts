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
 * @throws the error of the failing statement, and then nothing has changed; RoleError when there is something to run
 *   and the schema is another's
 */
export function migrateToLatest(address: DatabaseAddress): Promise<string[]> {
  return withDeployer(address, async (db) => {
    const owner = await findOwner(db);
    if (owner?.mayRead && !owner.mayAct && (await isUpToDate(db))) return [];
    return change(db, owner, (migrator) => migrator.migrateToLatest());
  });
}

/** Undoes the newest migration. */
export function migrateDown(address: DatabaseAddress): Promise<string[]> {
  return withDeployer(address, async (db) =>
    change(db, await findOwner(db), (migrator) => migrator.migrateDown()),
  );
}

/** All migrations, oldest first. */
export function listMigrations(address: DatabaseAddress): Promise<MigrationState[]> {
  return withDeployer(address, async (db) =>
    (await migratorOn(db).getMigrations()).map(({ name, executedAt }) => ({ name, executedAt })),
  );
}

async function isUpToDate(db: DeployerDb): Promise<boolean> {
  return (await migratorOn(db).getMigrations()).every(({ executedAt }) => executedAt !== undefined);
}

async function change(
  db: DeployerDb,
  owner: Owner | undefined,
  step: (migrator: Migrator) => ReturnType<Migrator['migrateDown']>,
): Promise<string[]> {
  if (owner) await actAs(db, owner);
  const { error, results = [] } = await step(migratorOn(db));
  if (error) throw error;
  if (owner) await protectMigrationTables(db);
  return results.map(({ migrationName }) => migrationName);
}

function migratorOn(db: DeployerDb): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations } });
}

/** The role that the tables belong to, as seen by who is logged in. */
interface Owner {
  readonly user: string;
  readonly mayAct: boolean;
  /** Which migrations have run. */
  readonly mayRead: boolean;
}

/** `undefined` where no roles have been applied to this database. */
async function findOwner(db: DeployerDb): Promise<Owner | undefined> {
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

async function actAs(db: DeployerDb, { user, mayAct }: Owner): Promise<void> {
  if (!mayAct) {
    throw new RoleError(
      `The tables belong to ${schemaOwner}, which ${user} may not act as: crownsafe roles apply, run by ${user}, lets it`,
    );
  }
  await sql`set role ${sql.id(schemaOwner)}`.execute(db);
}
