import { apiKeyPageShape, plainListQuery } from '../lib/access/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Lists the API keys, newest first. */
export const apiKeysList = endpoint({
  name: 'api-keys-list',
  method: 'GET',
  route: 'api/v1/api-keys',
  summary: 'List API keys',
  access: scope('admin'),
  query: plainListQuery,
  responses: { 200: apiKeyPageShape },
  handle: ({ query, signal }) => runtime().keyAdministration().list(query, signal),
});
