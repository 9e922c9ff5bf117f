import { endpoint, scope } from '../lib/http/index.ts';
import { jobListQuery, jobPageShape } from '../lib/jobs/index.ts';
import { runtime } from '../runtime.ts';

/** Lists the jobs, newest first. */
export const jobsList = endpoint({
  name: 'jobs-list',
  method: 'GET',
  route: 'api/v1/jobs',
  summary: 'List jobs',
  access: scope('admin'),
  query: jobListQuery,
  responses: { 200: jobPageShape },
  handle: ({ query, signal }) => runtime().jobs().list(query, signal),
});
