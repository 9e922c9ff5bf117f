import { type Migration, Migrator } from 'kysely/migration';
import type { DatabaseAddress } from './address.ts';
import { type DeployerDb, withDeployer } from './deployer.ts';
import * as foundation from './migrations/0001-foundation.ts';

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
 * Runs all migrations that have not run, in one transaction, under a lock: two deployments at once do it once.
 *
 * @returns the names of those that ran now
 * @throws the error of the failing statement, and then nothing has changed
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
    const { error, results = [] } = await step(migratorOn(db));
    if (error) throw error;
    return results.map(({ migrationName }) => migrationName);
  });
}

function migratorOn(db: DeployerDb): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations } });
}
