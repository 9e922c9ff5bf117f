import { projectRequest, projectShape } from '../lib/access/index.ts';
import { endpoint, recordedAnswer, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Makes a project, as yet without members. */
export const projectsCreate = endpoint({
  name: 'projects-create',
  method: 'POST',
  route: 'api/v1/projects',
  summary: 'Make a project',
  access: scope('admin'),
  body: projectRequest,
  idempotent: true,
  responses: { 201: projectShape },
  async handle({ body, requestKey, signal }) {
    return recordedAnswer(await runtime().projects().create(body, requestKey, signal));
  },
});
