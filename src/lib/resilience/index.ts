export type { Dependency } from './dependencies.ts';
export type { ResilienceEvent } from './events.ts';
export { createResilience, type Resilience, type RunOptions } from './resilience.ts';
export type { ResilienceSettings } from './settings.ts';
