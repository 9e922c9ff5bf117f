import { auditListQuery, auditPageShape } from '../lib/audit/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Lists who did what to which object, newest first; by `object_type` and `object_id`, the history of one object. */
export const auditList = endpoint({
  name: 'audit-list',
  method: 'GET',
  route: 'api/v1/audit',
  summary: 'List the audit trail',
  access: scope('admin'),
  query: auditListQuery,
  responses: { 200: auditPageShape },
  handle: ({ query, signal }) => runtime().audit.list(query, signal),
});
