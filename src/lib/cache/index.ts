export { type CacheKey, cacheKey } from './cache-key.ts';
export { type Caches, createCaches } from './caches.ts';
export type { Region } from './declaration.ts';
export { cacheStatisticsShape } from './shapes.ts';
