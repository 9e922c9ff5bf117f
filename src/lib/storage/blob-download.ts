import type { Readable } from 'node:stream';
import type { BlockBlobClient } from '@azure/storage-blob';
import { AppError } from '../core/index.ts';
import { toProperties } from './blob-properties.ts';
import type { Call } from './calls.ts';
import { statusOf } from './errors.ts';
import type { BlobDownload, DownloadOptions } from './ports.ts';
import { resumingBody } from './resuming-body.ts';

/** Opens one blob for reading; see `BlobStore.download`. */
export async function downloadBlob(
  call: Call,
  blob: BlockBlobClient,
  { range, etag, signal }: DownloadOptions,
): Promise<BlobDownload> {
  const from = range?.offset ?? 0;
  const read = async (
    offset: number,
    count: number | undefined,
    version: string | undefined,
    within: AbortSignal,
  ) => {
    const conditions = version === undefined ? {} : { ifMatch: version };
    const answer = await call(
      'read blob',
      // The SDK's own resumption ends at the first cut connection; resumingBody does it instead.
      (abortSignal) => blob.download(offset, count, { conditions, maxRetryRequests: 0, abortSignal }),
      { signal: within, explain },
    );
    return { answer, body: bodyOf(answer.readableStreamBody) };
  };

  const { answer, body } = await read(from, range?.count, etag, signal);
  const properties = toProperties(blob.name, answer, answer.metadata);
  if (range && from >= properties.sizeBytes) {
    // The emulator answers such a range with nothing at all, the service with 416.
    body.destroy();
    throw beyondEnd();
  }
  const to = from + (answer.contentLength ?? 0);
  return {
    properties,
    body: resumingBody({
      first: body,
      from,
      to,
      open: async (offset, within) => (await read(offset, to - offset, properties.etag, within)).body,
      signal,
    }),
  };
}

/** In Node the SDK's body always is a Readable; its type only promises less. */
function bodyOf(body: NodeJS.ReadableStream | undefined): Readable {
  if (!body) throw new TypeError('A download without a body');
  return body as Readable;
}

function explain(error: unknown): AppError | undefined {
  switch (statusOf(error)) {
    case 404:
      return new AppError('not_found', 'There is no such file', { cause: error });
    case 412:
      return new AppError('conflict', 'The file has changed', { cause: error });
    case 416:
      return beyondEnd(error);
    default:
      return undefined;
  }
}

function beyondEnd(cause?: unknown): AppError {
  return new AppError('range_not_satisfiable', 'The range lies outside the file', { cause });
}
