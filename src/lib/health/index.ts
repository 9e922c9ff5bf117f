export { createLiveness, livenessShape } from './liveness.ts';
export { createReadiness, readinessShape } from './readiness.ts';
