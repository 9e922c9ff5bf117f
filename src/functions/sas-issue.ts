import { endpoint, scope } from '../lib/http/index.ts';
import { sasLink, sasRequest } from '../lib/sharing/index.ts';
import { runtime } from '../runtime.ts';

/** Issues a time-limited, read-only link to a file. */
export const sasIssue = endpoint({
  name: 'sas-issue',
  method: 'POST',
  route: 'api/v1/sas',
  summary: 'Issue a time-limited link to a file',
  access: scope('files:share'),
  body: sasRequest,
  idempotent: { ignored: 'nothing is kept: asking again gives another link, or the same one' },
  responses: { 201: sasLink },
  handle: ({ caller, body, signal }) => runtime().sasLinks().issue(caller, body, signal),
});
