import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { DatabaseAddress } from './address.ts';
import { type DeployerDb, withDeployer, withSoleDeployer } from './deployer.ts';
import * as foundation from './migrations/0001-foundation.ts';
import * as crownSafeTables from './migrations/0002-crown-safe-tables.ts';
import * as blobColumns from './migrations/0003-blob-columns.ts';
import * as rowsFromBefore from './migrations/0004-rows-from-before.ts';
import * as performanceIndexes from './migrations/0005-performance-indexes.ts';
import * as dropS3Columns from './migrations/0006-drop-s3-columns.ts';
import { asOwner, findOwner } from './roles/owner.ts';

interface Step extends Migration {
  /** It commits by itself, maybe more than once, and is run again when that broke off. Left out: it runs in one transaction. */
  readonly ownTransactions?: boolean;
  /** Whether it breaks an older version that may be running, so that an operator has to ask for it. */
  waitsForOperator?(db: Kysely<unknown>): Promise<boolean>;
}

/** In order of their names; a migration that has run anywhere is never changed, only followed by another. */
const migrations: Record<string, Step> = {
  '0001-foundation': foundation,
  '0002-crown-safe-tables': crownSafeTables,
  '0003-blob-columns': blobColumns,
  '0004-rows-from-before': rowsFromBefore,
  '0005-performance-indexes': performanceIndexes,
  '0006-drop-s3-columns': dropS3Columns,
};

/** One migration and when it ran, if it has. */
export interface MigrationState {
  readonly name: string;
  readonly executedAt: Date | undefined;
  /** It has not run, and is run only when an operator asks for it. */
  readonly waitsForOperator: boolean;
}

/**
 * Runs all migrations that have not run, one after the other, under a lock: two deployments at once do it once. Stops
 * before one that would break an older version that may still be running.
 *
 * @param options - `contract`: no older version is running any more
 * @returns the names of those that ran now
 * @throws Error with the name of the migration that failed; it has changed nothing, or is gone on with when run again
 */
export function migrateToLatest(
  address: DatabaseAddress,
  options?: { contract: boolean },
): Promise<string[]> {
  return withSoleDeployer(address, async (db) => {
    const migrator = migratorOn(db);
    const next = () => nextMigration(migrator, db, options?.contract ?? false);
    const owner = await findOwner(db);
    if (owner?.mayRead && !owner.mayAct && (await next()) === undefined) return [];
    return asOwner(db, owner, async () => {
      const ran: string[] = [];
      for (let name = await next(); name !== undefined; name = await next()) {
        // One at a time, so that the locks of one are gone before the next begins.
        ran.push(...namesOf(await migrator.migrateUp(transactionsOf(name))));
      }
      return ran;
    });
  });
}

/**
 * Undoes the newest migration.
 *
 * @param name - which that has to be; so nothing is undone twice, by two at once or by one who asks again
 */
export function migrateDown(address: DatabaseAddress, name?: string): Promise<string[]> {
  return withSoleDeployer(address, async (db) =>
    asOwner(db, await findOwner(db), async () => {
      const migrator = migratorOn(db);
      const newest = (await migrator.getMigrations()).findLast(({ executedAt }) => executedAt !== undefined);
      if (newest === undefined) return [];
      if (name !== undefined && name !== newest.name)
        throw new Error(`${name} is not undone: the newest that has run is ${newest.name}`);
      return namesOf(await migrator.migrateDown(transactionsOf(newest.name)));
    }),
  );
}

/** All migrations, oldest first. */
export function listMigrations(address: DatabaseAddress): Promise<MigrationState[]> {
  return withDeployer(address, async (db) => {
    const states = await migratorOn(db).getMigrations();
    return Promise.all(
      states.map(async ({ name, executedAt }) => ({
        name,
        executedAt,
        waitsForOperator: executedAt === undefined && (await waitsForOperator(name, db)),
      })),
    );
  });
}

async function nextMigration(
  migrator: Migrator,
  db: Kysely<unknown>,
  contract: boolean,
): Promise<string | undefined> {
  const next = (await migrator.getMigrations()).find(({ executedAt }) => executedAt === undefined);
  if (next === undefined || contract) return next?.name;
  return (await waitsForOperator(next.name, db)) ? undefined : next.name;
}

async function waitsForOperator(name: string, db: Kysely<unknown>): Promise<boolean> {
  return (await migrations[name]?.waitsForOperator?.(db)) ?? false;
}

function transactionsOf(name: string): { disableTransactions: boolean } {
  return { disableTransactions: migrations[name]?.ownTransactions ?? false };
}

function namesOf({ error, results = [] }: Awaited<ReturnType<Migrator['migrateUp']>>): string[] {
  if (error === undefined) return results.map((result) => result.migrationName);
  const failed = results.find((result) => result.status === 'Error');
  if (!failed || !(error instanceof Error)) throw error;
  throw new Error(`${failed.migrationName}: ${error.message}`, { cause: error });
}

function migratorOn(db: DeployerDb): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations } });
}
