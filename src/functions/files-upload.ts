import * as z from 'zod';
import { fileShape } from '../lib/files/index.ts';
import { endpoint, idShape, recordedAnswer, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Takes a file, as a form or as raw bytes. */
export const filesUpload = endpoint({
  name: 'files-upload',
  method: 'POST',
  route: 'api/v1/uploads',
  summary: 'Upload a file',
  access: scope('files:write'),
  limit: 'uploads',
  query: z.strictObject({ project_id: idShape.optional() }),
  idempotent: true,
  responses: { 201: fileShape },
  async handle({ caller, raw, query, requestKey, signal }) {
    const request = { message: raw, projectId: query.project_id, key: requestKey };
    return recordedAnswer(await runtime().files().upload(caller, request, signal));
  },
});
