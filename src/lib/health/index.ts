export { createSecurityAudit, reviewStorage } from './auditing.ts';
export { breakerListShape, breakerNameParams, breakerOrder, breakerShape } from './breaker-shapes.ts';
export { createBreakers } from './breakers.ts';
export { createLiveness, livenessShape } from './liveness.ts';
export { type CriticalCheck, createReadiness, readinessShape } from './readiness.ts';
export type { AuditQuestion } from './security-audit.ts';
export { securityAuditShape } from './security-audit-shape.ts';
