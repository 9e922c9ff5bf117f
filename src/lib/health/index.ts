export { breakerListShape, breakerNameParams, breakerOrder, breakerShape } from './breaker-shapes.ts';
export { createBreakers } from './breakers.ts';
export { createLiveness, livenessShape } from './liveness.ts';
export { createReadiness, readinessShape } from './readiness.ts';
