import { readinessShape } from '../lib/health/index.ts';
import { anybody, type Endpoint, endpoint, json } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

const aliases = {
  'health-ready': 'api/v1/health/ready',
  'health-ready-api': 'api/health',
  'health-ready-apiz': 'api/healthz',
};

/** Says whether the dependencies without which nothing works are there. */
export const healthReady: readonly Endpoint[] = Object.entries(aliases).map(([name, route]) =>
  endpoint({
    name,
    method: 'GET',
    route,
    summary: 'Can this instance do its work?',
    access: anybody,
    limit: 'none',
    answersWhileStopping: true,
    responses: { 200: readinessShape, 503: readinessShape },
    async handle() {
      const readiness = await runtime().readiness();
      return readiness.status === 'ok' ? json(200, readiness) : json(503, readiness, { 'retry-after': '5' });
    },
  }),
);
