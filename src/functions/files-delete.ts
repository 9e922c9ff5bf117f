import * as z from 'zod';
import { empty, endpoint, idShape, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Deletes a file; every link to it dies at once. */
export const filesDelete = endpoint({
  name: 'files-delete',
  method: 'DELETE',
  route: 'api/v1/files/{id}',
  summary: 'Delete a file',
  access: scope('files:write'),
  params: z.strictObject({ id: idShape }),
  responses: { 204: undefined },
  async handle({ caller, params, signal }) {
    await runtime().files().remove(caller, params.id, signal);
    return empty(204);
  },
});
