import { projectParams, projectWithMembersShape } from '../lib/access/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Shows a project with its members. */
export const projectsGet = endpoint({
  name: 'projects-get',
  method: 'GET',
  route: 'api/v1/projects/{id}',
  summary: 'Show a project',
  access: scope('admin'),
  params: projectParams,
  responses: { 200: projectWithMembersShape },
  handle: ({ params, signal }) => runtime().projects().get(params.id, signal),
});
