import { describeCaller, meShape } from '../lib/access/index.ts';
import { authenticated, endpoint } from '../lib/http/index.ts';

/** Tells callers who they are, and what they may do. */
export const me = endpoint({
  name: 'me',
  method: 'GET',
  route: 'api/v1/me',
  summary: 'Show who is calling',
  access: authenticated,
  responses: { 200: meShape },
  handle: ({ caller }) => describeCaller(caller),
});
