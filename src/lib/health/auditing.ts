import type * as audits from './security-audit.ts';
import type * as reviews from './storage-review.ts';

/* What only an audit needs, loaded with the first one. Each does what the function of its name does. */

export const createSecurityAudit = async (
  ...call: Parameters<typeof audits.createSecurityAudit>
): Promise<audits.SecurityAudit> => (await import('./security-audit.ts')).createSecurityAudit(...call);

export const reviewStorage: typeof reviews.reviewStorage = async (...call) =>
  (await import('./storage-review.ts')).reviewStorage(...call);
