export { isHouseMissing } from './azure-errors.ts';
export { type Dependency, findDependency, kindOf } from './dependencies.ts';
export { codeOf, fieldOf } from './error-fields.ts';
export type { ResilienceEvent } from './events.ts';
export { orElse } from './fallback.ts';
export type { BreakerMode, BreakerOverride } from './override.ts';
export { type BreakerStatus, createResilience, type Resilience, type RunOptions } from './resilience.ts';
export type { ResilienceSettings } from './settings.ts';
