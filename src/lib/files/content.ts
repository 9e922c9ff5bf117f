import type { IncomingHttpHeaders } from 'node:http';
import { create as contentDisposition } from 'content-disposition';
import type { Clock } from '../core/index.ts';
import { type Answer, empty, selectContent, streaming } from '../http/index.ts';
import type { BlobStore } from '../storage/index.ts';
import type { FileRow } from './repository.ts';

/** Above this, bytes do not travel through a function; the client is sent to storage. */
const maxThroughFunctionBytes = 32 * 2 ** 20;
const redirectSeconds = 60;

/** Types that a browser shows by itself and that run nothing. */
const shownInline = /^(image\/|application\/pdf$)/;

/** What is asked of the content of a file. */
export interface ContentRequest {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly asAttachment: boolean;
  readonly signal: AbortSignal;
}

/** Answers the bytes of an available file, or the part of them that is asked for. */
export async function contentAnswer(
  ports: { blobs: BlobStore; clock: Clock },
  file: FileRow,
  { method, headers, asAttachment, signal }: ContentRequest,
): Promise<Answer> {
  const { blobs, clock } = ports;
  const etag = `"sha256-${file.sha256}"`;
  const lastModified = (file.uploaded_at ?? file.created_at).getTime();
  const disposition = contentDisposition(file.name, {
    type: asAttachment || !shownInline.test(file.content_type) ? 'attachment' : 'inline',
  });
  const selection = selectContent(method, headers, { etag, lastModified, sizeBytes: file.size });
  const common = {
    etag,
    'last-modified': new Date(lastModified).toUTCString(),
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
  };
  if (selection.kind === 'not-modified') return empty(304, common);
  if (file.size > maxThroughFunctionBytes) {
    const expiresAt = clock.now() + redirectSeconds * 1000;
    const location = await blobs.sasUrl(file.blob_name, {
      expiresAt,
      contentDisposition: disposition,
      signal,
    });
    return empty(302, { location, 'cache-control': 'no-store' });
  }
  const range = selection.kind === 'range' ? selection : undefined;
  const answerHeaders = {
    ...common,
    'content-type': file.content_type,
    'content-length': String(range?.count ?? file.size),
    'content-disposition': disposition,
    'content-security-policy': "sandbox; default-src 'none'",
    ...(range && { 'content-range': `bytes ${range.offset}-${range.offset + range.count - 1}/${file.size}` }),
  };
  if (method === 'HEAD') return empty(200, answerHeaders);
  const { body } = await blobs.download(file.blob_name, { ...(range && { range }), signal });
  return streaming(range ? 206 : 200, body, answerHeaders);
}
