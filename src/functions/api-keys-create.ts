import { apiKeyRequest, newApiKeyShape } from '../lib/access/index.ts';
import { endpoint, recordedAnswer, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Makes an API key; this answer is the only place where it is shown. */
export const apiKeysCreate = endpoint({
  name: 'api-keys-create',
  method: 'POST',
  route: 'api/v1/api-keys',
  summary: 'Make an API key',
  access: scope('admin'),
  body: apiKeyRequest,
  idempotent: true,
  responses: { 201: newApiKeyShape },
  async handle({ caller, body, requestKey, signal }) {
    return recordedAnswer(await runtime().keyAdministration().create(caller.id, body, requestKey, signal));
  },
});
