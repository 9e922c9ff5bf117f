import type { BlockBlobClient } from '@azure/storage-blob';
import { AppError, type Clock, newId } from '../core/index.ts';
import { blockId } from './blob-upload.ts';
import type { Call } from './calls.ts';
import { statusOf } from './errors.ts';
import type { BlobProperties, BlobStore } from './ports.ts';

/** The service copies this much in one call, and no more (Copy Blob From URL). */
const wholeCopyMaxBytes = 256 * 2 ** 20;
/** The service copies while we wait; at 10 MB/s this is enough for the largest piece. */
const pieceTimeoutMs = 60_000;
const linkLifetimeMs = 60 * 60_000;

interface CopyOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Largest piece copied in one call. */
  readonly pieceBytes?: number;
}

/** Copies a blob inside the service; see `BlobStore.copyFrom`. */
export async function copyBlob(
  call: Call,
  target: BlockBlobClient,
  source: BlobStore,
  name: string,
  { clock, signal, pieceBytes = wholeCopyMaxBytes }: CopyOptions,
): Promise<BlobProperties> {
  const properties = await source.head(name, { signal });
  if (!properties) throw missing(name);
  const url = await source.sasUrl(name, { expiresAt: clock.now() + linkLifetimeMs, signal });
  const run = <T>(operation: string, fn: (abortSignal: AbortSignal) => Promise<T>) =>
    call(operation, fn, { signal, timeoutMs: pieceTimeoutMs, explain: (error) => explain(name, error) });

  if (properties.sizeBytes <= pieceBytes) {
    const sourceConditions = { ifMatch: properties.etag };
    await run('copy blob', (abortSignal) => target.syncCopyFromURL(url, { sourceConditions, abortSignal }));
    return properties;
  }
  const copyId = newId();
  const ids: string[] = [];
  for (let offset = 0; offset < properties.sizeBytes; offset += pieceBytes) {
    const id = blockId(copyId, ids.length);
    const count = Math.min(pieceBytes, properties.sizeBytes - offset);
    await run('copy block', (abortSignal) =>
      target.stageBlockFromURL(id, url, offset, count, { abortSignal }),
    );
    ids.push(id);
  }
  // Blocks are copied without a condition, so whether all are of one version is asked at the end.
  const after = await source.head(name, { signal });
  if (after?.etag !== properties.etag) throw changed(name);
  await run('commit blocks', (abortSignal) =>
    target.commitBlockList(ids, { ...storedAs(properties), abortSignal }),
  );
  return properties;
}

function storedAs({ contentType, contentDisposition, metadata }: BlobProperties) {
  return {
    metadata,
    blobHTTPHeaders: {
      blobContentType: contentType,
      ...(contentDisposition && { blobContentDisposition: contentDisposition }),
    },
  };
}

/** 404 and 412 of a copy are about the source. */
function explain(name: string, error: unknown): AppError | undefined {
  if (statusOf(error) === 404) return missing(name, error);
  return statusOf(error) === 412 ? changed(name, error) : undefined;
}

function missing(name: string, cause?: unknown): AppError {
  return new AppError('not_found', `There is no ${name}`, { cause });
}

function changed(name: string, cause?: unknown): AppError {
  return new AppError('conflict', `${name} changed while it was being copied`, { cause });
}
