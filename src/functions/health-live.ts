import { livenessShape } from '../lib/health/index.ts';
import { anybody, type Endpoint, endpoint } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** The addresses at which probes and the source systems' clients ask whether the process is alive. */
const aliases = {
  'health-live': 'api/v1/health/live',
  'health-live-root': 'health',
  'health-live-rootz': 'healthz',
  'health-live-v1': 'api/v1/health',
};

/** Says that the process is alive; touches nothing. */
export const healthLive: readonly Endpoint[] = Object.entries(aliases).map(([name, route]) =>
  endpoint({
    name,
    method: 'GET',
    route,
    summary: 'Is the process alive?',
    access: anybody,
    limit: 'none',
    answersWhileStopping: true,
    responses: { 200: livenessShape },
    handle: () => runtime().liveness(),
  }),
);
