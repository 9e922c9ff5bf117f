import * as z from 'zod';
import { fileShape } from '../lib/files/index.ts';
import { endpoint, idShape, json, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Shows what is known of one file. */
export const filesGet = endpoint({
  name: 'files-get',
  method: 'GET',
  route: 'api/v1/files/{id}',
  summary: 'Show a file',
  access: scope('files:read'),
  params: z.strictObject({ id: idShape }),
  responses: { 200: fileShape },
  async handle({ caller, params, signal }) {
    const file = await runtime().files().get(caller, params.id, signal);
    return json(200, file, { etag: `"${file.etag}"` });
  },
});
