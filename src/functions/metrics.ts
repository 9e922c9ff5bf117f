import { type Endpoint, endpoint, text } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

const aliases = { metrics: 'metrics', 'metrics-api': 'api/metrics' };

/** The metrics of this instance, for Prometheus. */
export const metrics: readonly Endpoint[] = Object.entries(aliases).map(([name, route]) =>
  endpoint({
    name,
    method: 'GET',
    route,
    summary: 'Metrics in the text format of Prometheus',
    access: { kind: 'scrape', scope: 'monitoring:read' },
    limit: 'none',
    responses: { 200: undefined },
    handle: async () => text('text/plain; version=0.0.4; charset=utf-8', await runtime().metrics.render()),
  }),
);
