import { endpoint, scope } from '../lib/http/index.ts';
import { sasBatchRequest, sasBatchResult } from '../lib/sharing/index.ts';
import { runtime } from '../runtime.ts';

/** Issues up to 100 links at once. */
export const sasBatch = endpoint({
  name: 'sas-batch',
  method: 'POST',
  route: 'api/v1/sas/batch',
  summary: 'Issue links to several files',
  access: scope('files:share'),
  body: sasBatchRequest,
  responses: { 200: sasBatchResult },
  handle: ({ caller, body, signal }) => runtime().sasLinks().issueBatch(caller, body.items, signal),
});
