export { breakerListShape, breakerNameParams, breakerOrder, breakerShape } from './breaker-shapes.ts';
export { createBreakers } from './breakers.ts';
export { createLiveness, livenessShape } from './liveness.ts';
export { type CriticalCheck, createReadiness, readinessShape } from './readiness.ts';
export { type AuditQuestion, createSecurityAudit, securityAuditShape } from './security-audit.ts';
export { reviewStorage } from './storage-review.ts';
