/** A failure whose message is a whole sentence for the person at the terminal: what is wrong, and what to do about it. */
export class LocalError extends Error {
  override readonly name = 'LocalError';
  readonly code = 'local_setup';
}

/** The `code` that errors of the system, of Node and of PostgreSQL carry; `undefined` when there is none. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
