import { describe, expect, it } from 'vitest';
import { adminApi, bodyOf, expectProblem, inDatabase, json, newCaller, newProject } from '../support/api.ts';
import { pngBytes, uploaded } from '../support/uploads.ts';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly subject: string;
}

const rowsOf = async (sql: string, ...values: unknown[]) =>
  (await inDatabase((db) => db.query(sql, values))).rows;

/** Asks for an erasure and waits for its end. */
async function erase(userId: string) {
  const api = adminApi();
  const response = await api(`/api/v1/users/${encodeURIComponent(userId)}/data`, { method: 'DELETE' });
  const queued = await bodyOf<Job>(response);
  const path = response.headers.get('location') ?? '';
  await expect.poll(async () => (await bodyOf<Job>(api(path))).status, { timeout: 30_000 }).toBe('succeeded');
  return { response, queued, done: await bodyOf<Job>(api(path)) };
}

describe('the data of a user', () => {
  it('is gone when it has been erased, links and key as well, and that of others is not', async () => {
    const [user, other] = [
      await newCaller('files:read', 'files:write', 'files:share'),
      await newCaller('files:read', 'files:write', 'files:share'),
    ];
    const projectId = await newProject(user, other);
    const own = await uploaded(user);
    const inProject = await uploaded(user, pngBytes(), { fields: { project_id: projectId } });
    const deleted = await uploaded(user);
    await user(`/api/v1/files/${deleted.id}`, { method: 'DELETE' });
    const theirs = await uploaded(other, pngBytes(), { fields: { project_id: projectId } });
    const link = async (fileId: string) =>
      (await bodyOf<{ url: string }>(other('/api/v1/sas', json({ file_id: fileId })))).url;
    const [linkToErased, linkToKept] = [await link(inProject.id), await link(theirs.id)];
    const alive = (await fetch(linkToErased)).status;

    const { response, queued, done } = await erase(user.callerId);

    expect(response.status).toBe(202);
    expect(queued).toMatchObject({ kind: 'erasure', status: 'queued' });
    expect(JSON.stringify([queued, done])).not.toContain(user.callerId.slice(4));
    await expectProblem(await user('/api/v1/me'), 401, 'unauthorized');
    for (const { id } of [own, inProject, deleted])
      await expectProblem(await adminApi()(`/api/v1/files/${id}`), 404, 'not_found');
    expect([alive, (await fetch(linkToErased)).status, (await fetch(linkToKept)).status]).toEqual([
      200, 404, 200,
    ]);
    expect((await other(`/api/v1/files/${theirs.id}/content`)).status).toBe(200);
    const [left] = await rowsOf(
      `select (select count(*)::int from files where owner_id = $1 or id = any($2)) as files,
         (select count(*)::int from project_members where user_id = $1) as memberships,
         (select count(*)::int from idempotency_keys where caller = $1) as answers,
         (select count(*)::int from erasures where user_id = $1) as orders,
         (select name from api_keys where 'key:' || id = $1) as key_name`,
      user.callerId,
      [own.id, inProject.id, deleted.id],
    );
    expect(left).toEqual({ files: 0, memberships: 0, answers: 0, orders: 0, key_name: 'erased' });
    expect(await rowsOf('select from files where id = $1', theirs.id)).toHaveLength(1);
    const { data: acts } = await bodyOf<{ data: object[] }>(
      adminApi()(`/api/v1/audit?actor=${user.callerId}`),
    );
    const orders = adminApi()(`/api/v1/audit?object_type=erasure&object_id=${done.subject}`);
    const [names] = await rowsOf(
      `select (select count(*)::int from audit_log l where l::text like '%' || $1 || '%') as rows,
         (select count(*)::int from audit_actors where user_id like '%' || $1) as actors`,
      user.callerId.slice(4),
    );
    expect(acts).toEqual([]);
    expect(await bodyOf(orders)).toMatchObject({
      data: [{ action: 'user_data.erase', actor: adminApi().callerId }],
    });
    expect(names).toEqual({ rows: 0, actors: 0 });
  });

  it('may be that of somebody nobody knows, whose id has to be written in percent', async () => {
    const { done } = await erase('auth0|nobody/at all');

    expect(done).toMatchObject({ status: 'succeeded' });
  });

  it('is not asked for of what cannot be a user', async () => {
    for (const id of ['%0A', '%C2%85', 'x'.repeat(201)])
      await expectProblem(
        await adminApi()(`/api/v1/users/${id}/data`, { method: 'DELETE' }),
        404,
        'not_found',
      );
  });
});
