import { breakerNameParams, breakerOrder, breakerShape } from '../lib/health/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Holds a circuit breaker open or closed, or lets it decide by itself again; every instance follows. */
export const breakersSet = endpoint({
  name: 'breakers-set',
  method: 'POST',
  route: 'api/v1/monitoring/breakers/{name}',
  summary: 'Set a circuit breaker',
  access: scope('admin'),
  params: breakerNameParams,
  body: breakerOrder,
  responses: { 200: breakerShape },
  handle: ({ caller, params, body, signal }) =>
    runtime().breakers().set(params.name, body.state, caller.id, signal),
});
