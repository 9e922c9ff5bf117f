import { AppError, type ProblemCode } from '../core/index.ts';
import { isIdentityError } from '../security/index.ts';

/** What a client is told for an SQLSTATE; the longest matching prefix counts. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const problemsBySqlState: Readonly<Record<string, readonly [code: ProblemCode, detail: string]>> = {
  '08': ['unavailable', 'The connection to the database broke'],
  '22': ['validation_failed', 'A value is not valid for its field'],
  // What ON DELETE RESTRICT answers since PostgreSQL 18; older servers say 23503.
  '23001': ['conflict', 'Others still refer to it'],
  '23502': ['validation_failed', 'A required value is missing'],
  '23503': ['validation_failed', 'A value refers to something that does not exist'],
  '23505': ['conflict', 'It exists already'],
  '23514': ['validation_failed', 'A value is not valid for its field'],
  '25006': ['unavailable', 'The database is read-only at the moment'],
  '40001': ['unavailable', 'The change collided with others too often'],
  '40P01': ['unavailable', 'The change collided with others too often'],
  '53100': ['unavailable', 'The database has no room left'],
  '53': ['unavailable', 'The database is overloaded'],
  '55P03': ['conflict', 'Somebody else is changing the same'],
  '57014': ['deadline_exceeded', 'The database took too long'],
  '57': ['unavailable', 'The database is not available at the moment'],
};

/**
 * Turns an error of the driver into one that a client may be told about. Errors that are not the database's, or are
 * known already, come back unchanged.
 */
export function toAppError(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  // Without a token nothing was asked of the database.
  if (isIdentityError(error)) {
    return new AppError('unavailable', 'The database is not available at the moment', { cause: error });
  }
  const sqlState = sqlStateOf(error);
  if (sqlState === undefined) return error;
  const [code, detail] = problemsBySqlState[sqlState] ??
    problemsBySqlState[sqlState.slice(0, 2)] ?? ['database', 'The error has been logged'];
  // A row that others still refer to cannot go: the same SQLSTATE as a reference to nothing, told apart by its text.
  if (sqlState === '23503' && /update or delete on table/.test(error.message)) {
    return new AppError('conflict', 'Others still refer to it', { cause: error });
  }
  return new AppError(code, detail, { cause: error });
}

/** SQLSTATE of a PostgreSQL error, five characters; `undefined` for anything else. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object)
    ? code
    : undefined;
}

/**
 * True for a refusal of PostgreSQL itself. A pooler that loses its server in the middle also speaks in SQLSTATEs, but
 * then nobody knows whether a commit went through.
 */
export function isRefusal(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  if (sqlState === undefined || sqlState.startsWith('08') || sqlState === '40003') return false;
  return (error as { severity?: unknown }).severity === 'ERROR';
}
