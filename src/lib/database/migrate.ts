import { Kysely, PostgresDialect } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import { parseDatabaseUrl } from './address.ts';
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
 * @throws the error of the failing statement; then nothing has changed
 */
export function migrateToLatest(databaseUrl: string): Promise<string[]> {
  return withMigrator(databaseUrl, async (migrator) => namesOf(await migrator.migrateToLatest()));
}

/** Undoes the newest migration. */
export function migrateDown(databaseUrl: string): Promise<string[]> {
  return withMigrator(databaseUrl, async (migrator) => namesOf(await migrator.migrateDown()));
}

/** All migrations, oldest first. */
export function listMigrations(databaseUrl: string): Promise<MigrationState[]> {
  return withMigrator(databaseUrl, async (migrator) =>
    (await migrator.getMigrations()).map(({ name, executedAt }) => ({ name, executedAt })),
  );
}

function namesOf(outcome: Awaited<ReturnType<Migrator['migrateToLatest']>>): string[] {
  if (outcome.error) throw outcome.error;
  return (outcome.results ?? []).map((result) => result.migrationName);
}

async function withMigrator<T>(databaseUrl: string, work: (migrator: Migrator) => Promise<T>): Promise<T> {
  const { tls, ...address } = parseDatabaseUrl(databaseUrl);
  const pool = new pg.Pool({ ...address, ssl: tls ?? false, max: 1, connectionTimeoutMillis: 10_000 });
  pool.on('error', () => {});
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await work(new Migrator({ db, provider: { getMigrations: async () => migrations } }));
  } finally {
    await db.destroy();
  }
}
