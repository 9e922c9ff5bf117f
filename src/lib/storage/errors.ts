import { AppError, isAppError } from '../core/index.ts';
import { fieldOf } from '../resilience/index.ts';
import { isIdentityError } from '../security/index.ts';

/** HTTP status of a refusal by the service; `undefined` for all other errors. */
export function statusOf(error: unknown): number | undefined {
  const status = fieldOf(error, 'statusCode');
  return typeof status === 'number' ? status : undefined;
}

/**
 * What a write on a condition has met: nothing, or another version.
 *
 * @throws every other error
 */
export function outcomeOfRefusal(error: unknown): 'absent' | 'changed' {
  switch (statusOf(error)) {
    case 404:
      return 'absent';
    case 412:
      return 'changed';
    default:
      throw error;
  }
}

/** What rooms above see of a refusal that no port method gives a meaning to. */
export function translate(error: unknown): unknown {
  if (isIdentityError(error)) {
    return new AppError('unavailable', 'The storage service is not available at the moment', {
      cause: error,
    });
  }
  if (isAppError(error) || statusOf(error) === undefined) return error;
  return new AppError('upstream', 'The storage service refused the operation', { cause: error });
}
