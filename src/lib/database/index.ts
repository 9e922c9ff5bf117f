export { type Expression, sql } from 'kysely';
export { parseDatabaseUrl } from './address.ts';
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
export { type Move, repoint } from './repoint.ts';
export type { FileStatus, Row } from './schema.ts';
export { openSqlSession } from './sql-session.ts';
export { visibleFiles } from './visible-files.ts';
