export { type Expression, sql } from 'kysely';
export { type DatabaseAddress, parseDatabaseUrl } from './address.ts';
export {
  createDatabase,
  type Database,
  type Db,
  maxDirectConnections,
  type Snapshot,
  type Trx,
} from './database.ts';
export { toAppError } from './errors.ts';
export { listMigrations, migrateDown, migrateToLatest } from './migrate.ts';
export type { FileStatus, JobStatus, Row, Schema } from './schema.ts';
export { openSqlSession, type SqlSession } from './sql-session.ts';
export { visibleFiles } from './visible-files.ts';
