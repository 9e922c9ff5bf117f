export { sql } from 'kysely';
export { type DatabaseAddress, parseDatabaseUrl } from './address.ts';
export { createDatabase, type Database, type Db, type Snapshot, type Trx } from './database.ts';
export { listMigrations, migrateDown, migrateToLatest } from './migrate.ts';
export type { FileStatus, JobStatus, Row, Schema } from './schema.ts';
