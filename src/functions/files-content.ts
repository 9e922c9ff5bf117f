import * as z from 'zod';
import { endpoint, flagText, idShape, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Answers the bytes of a file, whole or a range of them. */
export const filesContent = endpoint({
  name: 'files-content',
  method: 'GET',
  route: 'api/v1/files/{id}/content',
  summary: 'Download a file',
  access: scope('files:read'),
  params: z.strictObject({ id: idShape }),
  query: z.strictObject({ download: flagText.default(false) }),
  responses: { 200: undefined, 206: undefined, 302: undefined, 304: undefined },
  handle: ({ caller, params, query, raw, signal }) =>
    runtime().files().content(caller, params.id, {
      method: raw.method,
      headers: raw.headers,
      asAttachment: query.download,
      signal,
    }),
});
