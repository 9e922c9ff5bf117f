import { endpoint, json, scope } from '../lib/http/index.ts';
import { jobParams, jobShape } from '../lib/jobs/index.ts';
import { runtime } from '../runtime.ts';

/** Calls a worker again for a job that has failed or was given up. */
export const jobsRetry = endpoint({
  name: 'jobs-retry',
  method: 'POST',
  route: 'api/v1/jobs/{id}/retry',
  summary: 'Try a job again',
  access: scope('admin'),
  params: jobParams,
  idempotent: { ignored: 'it makes nothing: a job that is queued or under way is refused' },
  responses: { 202: jobShape },
  async handle({ params, signal }) {
    const job = await runtime().jobs().retry(params.id, signal);
    return json(202, job, { location: `/api/v1/jobs/${job.id}` });
  },
});
