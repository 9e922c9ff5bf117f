export { type Expression, sql } from 'kysely';
export { type DatabaseAddress, parseDatabaseUrl } from './address.ts';
export { createDatabase, type Database, type Db, type Snapshot, type Trx } from './database.ts';
export { toAppError } from './errors.ts';
export { listMigrations, migrateDown, migrateToLatest } from './migrate.ts';
export { applyRoles } from './roles/apply-roles.ts';
export type { FileStatus, Row } from './schema.ts';
export { openSqlSession } from './sql-session.ts';
export { visibleFiles } from './visible-files.ts';
