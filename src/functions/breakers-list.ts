import { breakerListShape } from '../lib/health/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Shows every circuit breaker of this instance, and what others tell of theirs. */
export const breakersList = endpoint({
  name: 'breakers-list',
  method: 'GET',
  route: 'api/v1/monitoring/breakers',
  summary: 'List circuit breakers',
  access: scope('monitoring:read'),
  responses: { 200: breakerListShape },
  handle: ({ signal }) => runtime().breakers().list(signal),
});
