import { codeOf, fieldOf, textOf } from './error-fields.ts';

/** What a log line says about a failure of the service. */
export interface FailureDescription {
  /** Missing and conflicting things are part of life (`warning`); all else is an `error`. */
  readonly level: 'warning' | 'error';
  /** The error's class. */
  readonly errorType: string;
  readonly status?: number;
  /** The service's own word, as `BlobNotFound`, or a network code or SQLSTATE. */
  readonly code?: string;
}

/** Reads what an operator needs out of an error of any of our dependencies. */
export function describeFailure(error: unknown): FailureDescription {
  const status = fieldOf(error, 'statusCode');
  const code = codeOf(error);
  return {
    level: status === 404 || status === 409 ? 'warning' : 'error',
    errorType: textOf(error, 'name') || typeof error,
    ...(typeof status === 'number' && { status }),
    ...(code && { code }),
  };
}
