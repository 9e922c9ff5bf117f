import { memberParams } from '../lib/access/index.ts';
import { empty, endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Takes a user out of a project, who sees its files no more from then on. */
export const projectMembersRemove = endpoint({
  name: 'project-members-remove',
  method: 'DELETE',
  route: 'api/v1/projects/{id}/members/{user_id}',
  summary: 'Remove a member from a project',
  access: scope('admin'),
  params: memberParams,
  responses: { 204: undefined },
  async handle({ params, signal }) {
    await runtime().projects().removeMember(params.id, params.user_id, signal);
    return empty(204);
  },
});
