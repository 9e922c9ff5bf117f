/**
 * `connect_failed`: no connection (address, TLS, time). `pg_dump_failed`: pg_dump ended with an error, its words are
 * the message (password, database, version, a connection that broke). `engine_failed`: the worker itself died.
 */
export type DumpErrorCode = 'connect_failed' | 'pg_dump_failed' | 'engine_failed';

/** Why a dump could not be made. The message may be shown to operators: it never holds a password. */
export class DumpError extends Error {
  override readonly name = 'DumpError' as const;
  readonly code: DumpErrorCode;

  constructor(code: DumpErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
