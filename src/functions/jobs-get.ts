import { endpoint, scope } from '../lib/http/index.ts';
import { jobParams, jobShape } from '../lib/jobs/index.ts';
import { runtime } from '../runtime.ts';

/** Shows one job. */
export const jobsGet = endpoint({
  name: 'jobs-get',
  method: 'GET',
  route: 'api/v1/jobs/{id}',
  summary: 'Show a job',
  access: scope('admin'),
  params: jobParams,
  responses: { 200: jobShape },
  handle: ({ params, signal }) => runtime().jobs().get(params.id, signal),
});
