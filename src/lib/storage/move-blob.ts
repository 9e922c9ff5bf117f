import { AppError, isAppError } from '../core/index.ts';
import type { BlobStore, CallOptions } from './ports.ts';

/**
 * Moves a blob to another container under the same name: first a copy, then the deletion of exactly the version
 * that was copied. Interrupted anywhere, it can be done again, and nothing is lost; what has already been moved
 * counts as success.
 *
 * @throws AppError `not_found` when neither container has the blob, `conflict` when it keeps changing
 */
export async function moveBlob(
  from: BlobStore,
  to: BlobStore,
  name: string,
  options: CallOptions,
): Promise<void> {
  for (let round = 0; round < 3; round++) {
    try {
      const copied = await to.copyFrom(from, name, options);
      if (await from.delete(name, { ...options, ifMatch: copied.etag })) return;
    } catch (error) {
      if (isAppError(error, 'conflict')) continue;
      if (isAppError(error, 'not_found') && (await to.exists(name, options))) return;
      throw error;
    }
  }
  throw new AppError('conflict', 'The file changed while it was being moved');
}
