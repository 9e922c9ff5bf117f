import { filePageShape, listQuery } from '../lib/files/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Lists the caller's files and those of its projects. */
export const filesList = endpoint({
  name: 'files-list',
  method: 'GET',
  route: 'api/v1/files',
  summary: 'List files',
  access: scope('files:read'),
  query: listQuery,
  responses: { 200: filePageShape },
  handle: ({ caller, query, signal }) => runtime().files().list(caller, query, signal),
});
