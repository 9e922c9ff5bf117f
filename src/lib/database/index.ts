export { type Expression, sql } from 'kysely';
export { addressOf, type DatabaseAddress, type DatabaseSource, parseDatabaseUrl } from './address.ts';
export type { AuditEntry, NoteAudit, RecordAudit } from './audit.ts';
export { countUpTo } from './count-up-to.ts';
export {
  countFailure,
  findBlocks,
  findBlocksOf,
  liftBlocks,
  removeOldFailures,
} from './credential-failures.ts';
export { crownSafeTables } from './crown-safe-tables.ts';
export { createDatabase, type Database, type Db, type Snapshot, type Trx } from './database.ts';
export {
  applyRoles,
  listMigrations,
  migrateDown,
  migrateToLatest,
  repoint,
  reviewAccess,
} from './deploying.ts';
export { toAppError } from './errors.ts';
export { maySeeFile, mayUseFile, mayUseProject, visibleFiles } from './file-access.ts';
export { createIdempotency, type Idempotency } from './idempotency.ts';
export type { RecordedAnswer } from './idempotency-keys.ts';
export type { Move } from './repoint.ts';
export type { Change, FileStatus, Row } from './schema.ts';
export { openSqlSession } from './sql-session.ts';
