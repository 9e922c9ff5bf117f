import { plainListQuery, projectPageShape } from '../lib/access/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Lists the projects, newest first. */
export const projectsList = endpoint({
  name: 'projects-list',
  method: 'GET',
  route: 'api/v1/projects',
  summary: 'List projects',
  access: scope('admin'),
  query: plainListQuery,
  responses: { 200: projectPageShape },
  handle: ({ query, signal }) => runtime().projects().list(query, signal),
});
