import { cacheStatisticsShape } from '../lib/cache/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Shows what the caches of the answering instance hold and how often they help. */
export const azureCacheStats = endpoint({
  name: 'azure-cache-stats',
  method: 'GET',
  route: 'api/v1/monitoring/azure-cache-stats',
  summary: 'Show the statistics of the caches',
  access: scope('monitoring:read'),
  responses: { 200: cacheStatisticsShape },
  handle: () => runtime().caches.statistics(),
});
