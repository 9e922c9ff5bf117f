import { type Migration, Migrator } from 'kysely/migration';
import type { DatabaseAddress } from './address.ts';
import { type DeployerDb, withDeployer } from './deployer.ts';
import * as foundation from './migrations/0001-foundation.ts';
import { asOwner, findOwner } from './roles/owner.ts';

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
    return asOwner(db, owner, async () => namesOf(await migratorOn(db).migrateToLatest()));
  });
}

/** Undoes the newest migration. */
export function migrateDown(address: DatabaseAddress): Promise<string[]> {
  return withDeployer(address, async (db) =>
    asOwner(db, await findOwner(db), async () => namesOf(await migratorOn(db).migrateDown())),
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

function namesOf(outcome: Awaited<ReturnType<Migrator['migrateDown']>>): string[] {
  if (outcome.error) throw outcome.error;
  return (outcome.results ?? []).map((result) => result.migrationName);
}

function migratorOn(db: DeployerDb): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations } });
}
