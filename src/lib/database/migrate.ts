import type { Kysely } from 'kysely';
import { type Migration, type MigrationInfo, Migrator } from 'kysely/migration';
import type { DatabaseAddress } from './address.ts';
import { type DeployerDb, withDeployer, withSoleDeployer } from './deployer.ts';
import * as foundation from './migrations/0001-foundation.ts';
import * as crownSafeTables from './migrations/0002-crown-safe-tables.ts';
import * as blobColumns from './migrations/0003-blob-columns.ts';
import * as rowsFromBefore from './migrations/0004-rows-from-before.ts';
import * as performanceIndexes from './migrations/0005-performance-indexes.ts';
import * as dropS3Columns from './migrations/0006-drop-s3-columns.ts';
import * as idempotencyKeys from './migrations/0007-idempotency-keys.ts';
import * as poisonJobs from './migrations/0008-poison-jobs.ts';
import * as apiKeyUse from './migrations/0009-api-key-use.ts';
import * as credentialFailures from './migrations/0010-credential-failures.ts';
import * as auditTrail from './migrations/0011-audit-trail.ts';
import * as erasures from './migrations/0012-erasures.ts';
import { asOwner, findOwner } from './roles/owner.ts';

interface Step extends Migration {
  /** It commits by itself, maybe more than once, and is run again when that broke off. Left out: it runs in one transaction. */
  readonly ownTransactions?: boolean;
  /**
   * For one that takes something away: whether it breaks an older version that may be running, so that an operator has to ask
   * for it. It runs after all that only add, whatever their numbers, so that a newer version does not have to wait for it.
   */
  waitsForOperator?(db: Kysely<unknown>): Promise<boolean>;
}

/** A migration that has run anywhere is never changed, only followed by another. */
const migrations: Record<string, Step> = {
  '0001-foundation': foundation,
  '0002-crown-safe-tables': crownSafeTables,
  '0003-blob-columns': blobColumns,
  '0004-rows-from-before': rowsFromBefore,
  '0005-performance-indexes': performanceIndexes,
  '0006-drop-s3-columns': dropS3Columns,
  '0007-idempotency-keys': idempotencyKeys,
  '0008-poison-jobs': poisonJobs,
  '0009-api-key-use': apiKeyUse,
  '0010-credential-failures': credentialFailures,
  '0011-audit-trail': auditTrail,
  '0012-erasures': erasures,
};

/** One migration and when it ran, if it has. */
export interface MigrationState {
  readonly name: string;
  readonly executedAt: Date | undefined;
  /** It has not run, and is run only when an operator asks for it. */
  readonly waitsForOperator: boolean;
}

/**
 * Runs all migrations that have not run, one after the other, under a lock: two deployments at once do it once. Leaves out
 * one that would break an older version that may still be running.
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
        ran.push(
          ...namesOf(await migratorOn(db, await executedAnd(name, migrator)).migrateUp(transactionsOf(name))),
        );
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
      const newest = (await inOrder(migrator)).findLast(({ executedAt }) => executedAt !== undefined);
      if (newest === undefined) return [];
      if (name !== undefined && name !== newest.name)
        throw new Error(`${name} is not undone: the newest that has run is ${newest.name}`);
      return namesOf(await migrator.migrateDown(transactionsOf(newest.name)));
    }),
  );
}

/** All migrations: those that have run in the order in which they did, then the others in the order in which they will. */
export function listMigrations(address: DatabaseAddress): Promise<MigrationState[]> {
  return withDeployer(address, async (db) => {
    const states = await inOrder(migratorOn(db));
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
  const next = (await inOrder(migrator)).find(({ executedAt }) => executedAt === undefined);
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

/** By time for those that have run, as Kysely undoes them; then by name, what takes away last. */
async function inOrder(migrator: Migrator): Promise<MigrationInfo[]> {
  const orderOf = ({ name, executedAt }: MigrationInfo) =>
    executedAt?.getTime() ??
    (migrations[name]?.waitsForOperator ? Number.MAX_VALUE : Number.MAX_SAFE_INTEGER);
  return [...(await migrator.getMigrations())].sort((a, b) => orderOf(a) - orderOf(b));
}

/** Kysely runs the first by name that it knows and that has not run, so it is told of one only. */
async function executedAnd(next: string, migrator: Migrator): Promise<Record<string, Step>> {
  const known = (await migrator.getMigrations()).filter(
    ({ name, executedAt }) => name === next || executedAt !== undefined,
  );
  return Object.fromEntries(known.map(({ name, migration }) => [name, migration]));
}

function migratorOn(db: DeployerDb, known: Record<string, Step> = migrations): Migrator {
  return new Migrator({
    db,
    allowUnorderedMigrations: true,
    provider: { getMigrations: async () => known },
  });
}
