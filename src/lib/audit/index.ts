export { auditListQuery, auditPageShape } from './shapes.ts';
export { type AuditTrail, createAuditTrail } from './trail.ts';
