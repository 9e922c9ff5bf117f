import { userParams } from '../lib/access/index.ts';
import { endpoint, json, scope } from '../lib/http/index.ts';
import { jobShape } from '../lib/jobs/index.ts';
import { runtime } from '../runtime.ts';

/** Asks for everything about a user to be erased; a worker carries it out. What backups hold stays until their retention ends. */
export const usersErase = endpoint({
  name: 'users-erase',
  method: 'DELETE',
  route: 'api/v1/users/{id}/data',
  summary: 'Erase the data of a user',
  access: scope('admin'),
  params: userParams,
  responses: { 202: jobShape },
  async handle({ caller, params, signal }) {
    const job = await runtime().erasures().request(caller.id, params.id, signal);
    return json(202, job, { location: `/api/v1/jobs/${job.id}` });
  },
});
