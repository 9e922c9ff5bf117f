import { endpoint, scope } from '../lib/http/index.ts';
import { reportListShape } from '../lib/reports/index.ts';
import { runtime } from '../runtime.ts';

/** Lists the reports the caller may run. */
export const reportsList = endpoint({
  name: 'reports-list',
  method: 'GET',
  route: 'api/v1/reports',
  summary: 'List reports',
  access: scope('reports:read'),
  responses: { 200: reportListShape },
  handle: ({ caller }) => runtime().reports().list(caller),
});
