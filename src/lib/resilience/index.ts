export { judgeAzureError } from './azure-errors.ts';
export type { BreakerState } from './breaker.ts';
export type { Dependency } from './dependencies.ts';
export type { GiveUpReason, ResilienceEvent } from './events.ts';
export { createResilience, type Resilience, type RunOptions } from './resilience.ts';
export type { ResilienceSettings } from './settings.ts';
