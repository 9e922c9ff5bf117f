import { memberParams } from '../lib/access/index.ts';
import { empty, endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Makes a user a member of a project. */
export const projectMembersAdd = endpoint({
  name: 'project-members-add',
  method: 'PUT',
  route: 'api/v1/projects/{id}/members/{user_id}',
  summary: 'Add a member to a project',
  access: scope('admin'),
  params: memberParams,
  responses: { 204: undefined },
  async handle({ params, signal }) {
    await runtime().projects().addMember(params.id, params.user_id, signal);
    return empty(204);
  },
});
