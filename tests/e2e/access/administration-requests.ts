import { randomUUID } from 'node:crypto';
import { json } from '../../support/api.ts';
import type { Ask, Asking } from './requests.ts';

/** Does what a row asks for, and looks whether it was done exactly when it was answered so. */
async function changing(status: Promise<number>, isDone: () => Promise<boolean>): Promise<string> {
  const answered = await status;
  const isRight = (await isDone()) === answered < 300;
  return `${answered}${isRight ? '' : ' but not so'}`;
}

const statusOf = async ({ call }: Asking, path: string, method: 'PUT' | 'DELETE'): Promise<number> =>
  (await call(path, { method })).status;

const exists = async ({ fixtures }: Asking, query: string, ...values: readonly unknown[]) =>
  (await fixtures.sql(`select from ${query}`, values)).length > 0;

async function newKey({ fixtures }: Asking): Promise<string> {
  const id = randomUUID().replaceAll('-', '').slice(0, 16);
  await fixtures.sql(
    `insert into api_keys (id, name, hash, scopes) values ($1, 'x', '\\x00', '{files:read}')`,
    [id],
  );
  return id;
}

async function createKey(asking: Asking): Promise<string> {
  const name = randomUUID();
  const sent = asking.call('/api/v1/api-keys', json({ name, scopes: ['admin'] }));
  return changing(
    sent.then(({ status }) => status),
    () => exists(asking, 'api_keys where name = $1', name),
  );
}

async function createProject(asking: Asking): Promise<string> {
  const name = randomUUID();
  const sent = asking.call('/api/v1/projects', json({ name }));
  return changing(
    sent.then(({ status }) => status),
    () => exists(asking, 'projects where name = $1', name),
  );
}

const isMember = (asking: Asking, projectId: string, userId: string) =>
  exists(asking, 'project_members where project_id = $1 and user_id = $2', projectId, userId);

async function addMember(asking: Asking): Promise<string> {
  const projectId = await asking.fixtures.project();
  const path = `/api/v1/projects/${projectId}/members/ann`;
  return changing(statusOf(asking, path, 'PUT'), () => isMember(asking, projectId, 'ann'));
}

async function removeMember(asking: Asking): Promise<string> {
  const projectId = await asking.fixtures.project('bob');
  await asking.fixtures.sql(
    'insert into project_members (project_id, user_id) values ($1, $2) on conflict do nothing',
    [projectId, 'bob'],
  );
  const path = `/api/v1/projects/${projectId}/members/bob`;
  return changing(statusOf(asking, path, 'DELETE'), async () => !(await isMember(asking, projectId, 'bob')));
}

async function revokeKey(asking: Asking): Promise<string> {
  const id = await newKey(asking);
  return changing(statusOf(asking, `/api/v1/api-keys/${id}`, 'DELETE'), () =>
    exists(asking, 'api_keys where id = $1 and revoked_at is not null', id),
  );
}

async function eraseUser(asking: Asking): Promise<string> {
  const jobs = async () =>
    Number((await asking.fixtures.sql(`select count(*) from jobs where kind = 'erasure'`))[0]?.['count']);
  const before = await jobs();
  const path = `/api/v1/users/${randomUUID()}/data`;
  return changing(statusOf(asking, path, 'DELETE'), async () => (await jobs()) > before);
}

/** The rows about keys, projects and users. */
export const administrationRequests: Readonly<Record<string, Ask>> = {
  'api-keys-create': createKey,
  'api-keys-get': async (asking) =>
    String((await asking.call(`/api/v1/api-keys/${await newKey(asking)}`)).status),
  'api-keys-list': async ({ call }) => String((await call('/api/v1/api-keys')).status),
  'api-keys-revoke': revokeKey,
  me: async ({ call, caller }) => {
    const { status, text } = await call('/api/v1/me');
    return `${status}${status >= 300 || text.includes(caller.id) ? '' : ' but as somebody else'}`;
  },
  'project-members-add': addMember,
  'project-members-remove': removeMember,
  'projects-create': createProject,
  'projects-get': async ({ call, fixtures }) =>
    String((await call(`/api/v1/projects/${await fixtures.project()}`)).status),
  'projects-list': async ({ call }) => String((await call('/api/v1/projects')).status),
  'users-erase': eraseUser,
};
