import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { BlockBlobClient } from '@azure/storage-blob';
import { AppError, isAppError, newId } from '../core/index.ts';
import { codeOf } from '../resilience/index.ts';
import { toProperties } from './blob-properties.ts';
import { type BlockTarget, uploadBlocks } from './block-upload.ts';
import type { Call } from './calls.ts';
import type { BlobProperties, UploadOptions } from './ports.ts';

/** Codes that say: another blob stands, or came, under this name. */
const takenCodes = new Set([
  'BlobAlreadyExists',
  'ConditionNotMet',
  'InvalidBlockList',
  'InvalidBlobOrBlock',
]);

/** Uploads one blob; see `BlobStore.upload`. */
export function uploadBlob(
  call: Call,
  blob: BlockBlobClient,
  source: Readable | Uint8Array,
  options: UploadOptions,
): Promise<BlobProperties> {
  return uploadBlocks(source, createTarget(call, blob, options), options);
}

function createTarget(
  call: Call,
  blob: BlockBlobClient,
  options: UploadOptions,
): BlockTarget<BlobProperties> {
  const uploadId = newId();
  const metadata = { ...options.metadata, upload_id: uploadId };
  const stored = {
    metadata,
    blobHTTPHeaders: {
      blobContentType: options.contentType,
      ...(options.contentDisposition && { blobContentDisposition: options.contentDisposition }),
    },
    conditions: options.onlyIfAbsent ? { ifNoneMatch: '*' } : {},
  };

  const head = (signal: AbortSignal) =>
    call('head blob', (abortSignal) => blob.getProperties({ abortSignal }), { signal });

  /**
   * Runs what makes the blob visible. When its answer was lost and it is run again, it meets its own blob: that is
   * success, told from somebody else's blob by the upload id.
   */
  const makeVisible = async (
    operation: string,
    sizeBytes: number,
    signal: AbortSignal,
    fn: (signal: AbortSignal) => Promise<{ etag?: string; lastModified?: Date }>,
  ): Promise<BlobProperties> => {
    let tries = 0;
    const attempt = (abortSignal: AbortSignal) => {
      tries++;
      return fn(abortSignal);
    };
    const { etag, lastModified } = await call(operation, attempt, { signal, explain: explainTaken }).catch(
      async (error: unknown) => {
        const standing = tries > 1 && isAppError(error, 'conflict') ? await head(signal) : undefined;
        if (standing?.metadata?.['upload_id'] !== uploadId) throw error;
        return standing;
      },
    );
    return toProperties(blob.name, { etag, lastModified, contentLength: sizeBytes, ...options }, metadata);
  };

  return {
    putWhole: (bytes, signal) =>
      makeVisible('put blob', bytes.length, signal, (abortSignal) =>
        blob.upload(bytes, bytes.length, { ...stored, transactionalContentMD5: md5(bytes), abortSignal }),
      ),
    stage: (index, bytes, signal) => {
      const transactionalContentMD5 = md5(bytes);
      return call(
        'stage block',
        (abortSignal) =>
          blob.stageBlock(blockId(uploadId, index), bytes, bytes.length, {
            transactionalContentMD5,
            abortSignal,
          }),
        { signal },
      );
    },
    commit: (count, sizeBytes, signal) => {
      const ids = Array.from({ length: count }, (_, index) => blockId(uploadId, index));
      return makeVisible('commit blocks', sizeBytes, signal, (abortSignal) =>
        blob.commitBlockList(ids, { ...stored, abortSignal }),
      );
    },
  };
}

/** All block ids of a blob must be of one length; those of two uploads must differ. */
export function blockId(uploadId: string, index: number): string {
  return Buffer.from(`${uploadId}-${String(index).padStart(6, '0')}`).toString('base64');
}

/** Lets the service find out whether the bytes have changed on their way. */
function md5(bytes: Buffer): Buffer {
  return createHash('md5').update(bytes).digest();
}

function explainTaken(error: unknown): AppError | undefined {
  if (!takenCodes.has(codeOf(error))) return undefined;
  return new AppError('conflict', 'The name is already taken', { cause: error });
}
