import { apiKeyParams, apiKeyShape } from '../lib/access/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Shows what is known of one API key. */
export const apiKeysGet = endpoint({
  name: 'api-keys-get',
  method: 'GET',
  route: 'api/v1/api-keys/{id}',
  summary: 'Show an API key',
  access: scope('admin'),
  params: apiKeyParams,
  responses: { 200: apiKeyShape },
  handle: ({ params, signal }) => runtime().keyAdministration().get(params.id, signal),
});
