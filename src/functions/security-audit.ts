import { securityAuditShape } from '../lib/health/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Shows what weakens the app where it runs, each with its fix. */
export const securityAudit = endpoint({
  name: 'security-audit',
  method: 'GET',
  route: 'api/v1/monitoring/security-audit',
  summary: 'Audit the security of settings, database and storage',
  access: scope('admin'),
  responses: { 200: securityAuditShape },
  handle: async ({ signal }) => (await runtime().securityAudit()).run(signal),
});
