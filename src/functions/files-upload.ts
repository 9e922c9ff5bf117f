import * as z from 'zod';
import { fileShape } from '../lib/files/index.ts';
import { endpoint, idShape, json, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Takes a file, as a form or as raw bytes. */
export const filesUpload = endpoint({
  name: 'files-upload',
  method: 'POST',
  route: 'api/v1/uploads',
  summary: 'Upload a file',
  access: scope('files:write'),
  query: z.strictObject({ project_id: idShape.optional() }),
  responses: { 201: fileShape },
  async handle({ caller, raw, query, signal }) {
    const file = await runtime().files().upload(caller, raw, query.project_id, signal);
    return json(201, file, { location: `/api/v1/files/${file.id}` });
  },
});
