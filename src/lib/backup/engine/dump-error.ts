/**
 * `connect_failed`: no connection (address, TLS, time). `pg_dump_failed`: pg_dump ended with an error, its words are
 * the message (password, database, version, a connection that broke). `role_refused`: the login may not act as the role
 * for dumps. `engine_failed`: the worker itself died.
 */
export type DumpErrorCode = 'connect_failed' | 'pg_dump_failed' | 'role_refused' | 'engine_failed';

/** What may be said to anybody who may look at backups. */
export const dumpErrorWords: Readonly<Record<DumpErrorCode, string>> = {
  connect_failed: 'The database could not be connected to; the log says why',
  pg_dump_failed: 'pg_dump ended with an error; the log has its words',
  role_refused:
    'The login of the app may not act as the role for dumps (BACKUP_DATABASE_ROLE); crownsafe roles apply lets it',
  engine_failed: 'The dump engine broke; the log says how',
};

/** Why a dump could not be made. The message is for the log: it names hosts and roles, but never holds a password. */
export class DumpError extends Error {
  override readonly name = 'DumpError' as const;
  readonly code: DumpErrorCode;

  constructor(code: DumpErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
