import { apiKeyParams } from '../lib/access/index.ts';
import { empty, endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Ends an API key for good, on every instance at once. */
export const apiKeysRevoke = endpoint({
  name: 'api-keys-revoke',
  method: 'DELETE',
  route: 'api/v1/api-keys/{id}',
  summary: 'Revoke an API key',
  access: scope('admin'),
  params: apiKeyParams,
  responses: { 204: undefined },
  async handle({ caller, params, signal }) {
    await runtime().keyAdministration().revoke(caller.id, params.id, signal);
    return empty(204);
  },
});
