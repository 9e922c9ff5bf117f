/** `dump_truncated`: its end is missing. `not_restorable`: it holds what only psql understands. */
export type RestoreErrorCode = 'dump_truncated' | 'not_restorable';

/** Why a dump cannot be restored, whatever the database. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError' as const;
  readonly code: RestoreErrorCode;

  constructor(code: RestoreErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
