import { AppError, isAppError } from '../core/index.ts';
import { isIdentityError } from '../security/index.ts';

/** HTTP status of a refusal by the service; `undefined` for all other errors. */
export function statusOf(error: unknown): number | undefined {
  const status = field(error, 'statusCode');
  return typeof status === 'number' ? status : undefined;
}

/** The service's own word for a refusal, as `BlobNotFound`; each SDK and method keeps it somewhere else. */
export function codeOf(error: unknown): string {
  const details = field(error, 'details');
  const places = [
    field(error, 'code'),
    field(details, 'errorCode'),
    field(field(details, 'odataError'), 'code'),
  ];
  return places.find((code) => typeof code === 'string') ?? '';
}

const missingHouses = new Set(['ContainerNotFound', 'TableNotFound', 'QueueNotFound']);

/** True when the container, table or queue itself is missing, not only something in it. */
export function isHouseMissing(error: unknown): boolean {
  return missingHouses.has(codeOf(error));
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

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
