import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Api, adminApi, bodyOf, expectProblem, inDatabase, json, newCaller } from '../../support/api.ts';
import { uploaded } from '../../support/uploads.ts';

/*
 * The lists of what only admins may see, against what the same admin gets one by one. Other tests add to them meanwhile, so
 * each looks at what it has made itself.
 */

interface Item {
  readonly id: string;
}

interface Page<T = Item> {
  readonly data: readonly T[];
  readonly total?: number | null;
  readonly next_cursor: string | null;
}

interface Entry {
  readonly id: number;
  readonly actor: string;
  readonly action: string;
  readonly result: string;
  readonly object: { readonly type: string; readonly id: string };
  readonly correlation_id: string;
}

const sql = async (text: string, values: readonly unknown[] = []) =>
  (await inDatabase((db) => db.query(text, [...values]))).rows;

/** Pages of a list, newest first, until all that is looked for has come. */
async function findInList(path: string, ids: readonly string[], perPage: number): Promise<Item[]> {
  const seen: Item[] = [];
  let query = `per_page=${perPage}`;
  for (;;) {
    const { data, next_cursor: cursor } = await bodyOf<Page>(adminApi()(`${path}?${query}`));
    seen.push(...data);
    const found = seen.filter(({ id }) => ids.includes(id));
    if (cursor === null || found.length >= ids.length) return found;
    query = `per_page=${perPage}&cursor=${cursor}`;
  }
}

/** More than a page of them, all of one moment, so that only ids tell them apart. */
const many = 9;

const makeKeys = ({ age = '1 second', expired = false, revoked = false } = {}) =>
  sql(
    `insert into api_keys (id, name, hash, scopes, created_at, expires_at, revoked_at)
     select substr(md5(gen_random_uuid()::text), 1, 16), 'listed', '\\x00', '{files:read}', made,
       case when $2 then made + interval '1 ms' end, case when $3 then made + interval '1 ms' end
     from generate_series(1, ${many}), date_trunc('second', now() - $1::interval) as made returning id`,
    [age, expired, revoked],
  );
const makeProjects = () =>
  sql(
    `insert into projects (id, name, created_at) select gen_random_uuid(), 'listed', date_trunc('second', now())
     from generate_series(1, ${many}) returning id`,
  );
const makeJobs = (status: string) =>
  sql(
    `insert into jobs (id, kind, subject, status, created_at, finished_at, error_code)
     select gen_random_uuid(), 'backup', 'listed', $1, date_trunc('second', now()), now(), 'not_found'
     from generate_series(1, ${many}) returning id`,
    [status],
  );

describe.each([
  ['API keys', '/api/v1/api-keys', () => makeKeys()],
  ['API keys that are over', '/api/v1/api-keys', () => makeKeys({ expired: true })],
  ['API keys that were revoked', '/api/v1/api-keys', () => makeKeys({ revoked: true })],
  ['projects', '/api/v1/projects', makeProjects],
  ['jobs', '/api/v1/jobs', () => makeJobs('succeeded')],
  ['jobs that were given up', '/api/v1/jobs', () => makeJobs('poison')],
])('the list of %s', (_, path, make) => {
  it.each([1, 4, 200])('shows each of them once, as a single read does, %d on a page', async (perPage) => {
    const ids = (await make()).map(({ id }) => String(id));

    const listed = await findInList(path, ids, perPage);
    const single = await Promise.all(
      listed.map(async ({ id }) => {
        const response = await adminApi()(`${path}/${id}`);
        return [response.status, await bodyOf(response)];
      }),
    );

    expect(listed.map(({ id }) => id).sort()).toEqual(ids.toSorted());
    // Alone a project tells its members, too.
    expect(single).toEqual(listed.map((item) => [200, expect.objectContaining(item)]));
  });
});

describe('what a list leaves out', () => {
  it('is gone from pages and total alike: API keys that ended long ago', async () => {
    const [{ id } = { id: '' }] = await makeKeys({ age: '100 days', expired: true });

    const total = async () => (await bodyOf<Page>(adminApi()('/api/v1/api-keys?per_page=1'))).total;
    const count = async () =>
      Number(
        (
          await sql(
            `select count(*) from api_keys where coalesce(least(expires_at, revoked_at) > now() - interval '90 days', true)`,
          )
        )[0]?.['count'],
      );

    expect(await findInList('/api/v1/api-keys', [String(id)], 200)).toEqual([]);
    expect((await adminApi()(`/api/v1/api-keys/${id}`)).status).toBe(200);
    // Others make keys meanwhile.
    await expect.poll(async () => (await count()) - Number(await total()), { timeout: 10_000 }).toBe(0);
  });

  it('is what another status has: jobs', async () => {
    const ids = (await makeJobs('poison')).map(({ id }) => String(id));

    const page = async (status: string) =>
      (
        await bodyOf<Page<Item & { status: string }>>(
          adminApi()(`/api/v1/jobs?status=${status}&per_page=200`),
        )
      ).data;
    const poison = await page('poison');
    const failed = await page('failed');

    expect(poison.filter(({ id }) => ids.includes(id))).toHaveLength(ids.length);
    expect(failed.filter(({ id }) => ids.includes(id))).toEqual([]);
    expect(new Set(poison.map(({ status }) => status))).toEqual(new Set(['poison']));
  });
});

describe('the cursor of a list', () => {
  it('opens no other list, and not the same with other filters', async () => {
    const caller = await newCaller('admin');
    await Promise.all([uploaded(caller), uploaded(caller), makeProjects(), makeKeys(), makeJobs('poison')]);
    const lists = [
      '/api/v1/api-keys?',
      '/api/v1/projects?',
      '/api/v1/jobs?',
      '/api/v1/jobs?status=poison',
      '/api/v1/files?',
      '/api/v1/files?status=available',
      '/api/v1/audit?',
      `/api/v1/audit?actor=${caller.callerId}`,
    ];

    const cursors = await Promise.all(
      lists.map(async (list) => (await bodyOf<Page>(caller(`${list}&per_page=1`))).next_cursor),
    );
    const answers = await Promise.all(
      lists.map((list) =>
        Promise.all(
          cursors.map(async (cursor) => (await caller(`${list}&per_page=1&cursor=${cursor}`)).status),
        ),
      ),
    );

    expect(answers).toEqual(
      lists.map((_, row) => lists.map((_list, column) => (row === column ? 200 : 422))),
    );
  });

  it.each(['api-keys', 'projects', 'jobs', 'audit'])('of an admin opens %s to nobody else', async (list) => {
    const { next_cursor: cursor } = await bodyOf<Page>(adminApi()(`/api/v1/${list}?per_page=1`));
    const stranger = await newCaller('files:read', 'files:write', 'monitoring:read', 'backups:read');

    expect(cursor).not.toBeNull();
    await expectProblem(await stranger(`/api/v1/${list}?per_page=1&cursor=${cursor}`), 403, 'forbidden');
  });
});

describe('the audit trail', () => {
  let admin: Api;
  let done: readonly (readonly [action: string, type: string, id: string])[];

  beforeAll(async () => {
    admin = await newCaller('admin');
    const make = async (path: string, body: object) => (await bodyOf<Item>(admin(path, json(body)))).id;
    const projectId = await make('/api/v1/projects', { name: 'traced' });
    await admin(`/api/v1/projects/${projectId}/members/anna`, { method: 'PUT' });
    await admin(`/api/v1/projects/${projectId}/members/anna`, { method: 'DELETE' });
    const keyId = await make('/api/v1/api-keys', { name: 'traced', scopes: ['files:read'] });
    await admin(`/api/v1/api-keys/${keyId}`, { method: 'DELETE' });
    const { id: fileId } = await uploaded(admin);
    await admin('/api/v1/sas', json({ file_id: fileId }));
    await admin(`/api/v1/files/${fileId}`, { method: 'DELETE' });
    done = [
      ['project.create', 'project', projectId],
      ['project.add_member', 'project', projectId],
      ['project.remove_member', 'project', projectId],
      ['api_key.create', 'api_key', keyId],
      ['api_key.revoke', 'api_key', keyId],
      ['file.upload', 'file', fileId],
      ['link.issue', 'file', fileId],
      ['file.delete', 'file', fileId],
    ];
  });

  const paths: Readonly<Record<string, string>> = {
    project: 'projects',
    api_key: 'api-keys',
    file: 'files',
  };

  async function listAll(query: string, perPage: number): Promise<Entry[]> {
    const found: Entry[] = [];
    let cursor = '';
    for (;;) {
      const page = await bodyOf<Page<Entry>>(admin(`/api/v1/audit?per_page=${perPage}${query}${cursor}`));
      found.push(...page.data);
      if (page.next_cursor === null) return found;
      cursor = `&cursor=${page.next_cursor}`;
    }
  }

  it.each([1, 4, 200])('tells all that somebody did, and nothing twice, %d on a page', async (perPage) => {
    const rows = await listAll(`&actor=${admin.callerId}`, perPage);

    expect(rows.map(({ action, object }) => [action, object.type, object.id])).toEqual(done.toReversed());
    expect(new Set(rows.map(({ actor }) => actor))).toEqual(new Set([admin.callerId]));
    const { total } = await bodyOf<Page>(admin(`/api/v1/audit?actor=${admin.callerId}`));
    expect(total).toBe(done.length);
  });

  it('tells of things that the one who reads it gets one by one', async () => {
    const rows = await listAll(`&actor=${admin.callerId}`, 200);

    const statuses = await Promise.all(
      rows.map(async ({ object: { type, id } }) => (await admin(`/api/v1/${paths[type]}/${id}`)).status),
    );

    expect(statuses).toEqual(rows.map(() => 200));
  });

  it('has the same rows by object, action and request as by actor', async () => {
    const rows = await listAll(`&actor=${admin.callerId}`, 200);

    for (const row of rows) {
      const { action, object, correlation_id: request } = row;
      const history = await listAll(`&object_type=${object.type}&object_id=${object.id}`, 200);
      expect(history).toEqual(rows.filter((one) => one.object.id === object.id));
      expect(await listAll(`&action=${action}&actor=${admin.callerId}`, 200)).toContainEqual(row);
      expect(await listAll(`&correlation_id=${request}`, 200)).toContainEqual(row);
    }
  });

  it('tells of a refusal, and not to whom it was', async () => {
    const stranger = await newCaller('files:read');
    const before = await stranger('/api/v1/audit');

    const rows = await listAll(`&actor=${stranger.callerId}`, 200);
    const after = await stranger(`/api/v1/audit?actor=${stranger.callerId}`);

    expect(rows).toMatchObject([
      { action: 'endpoint.call', result: 'refused', object: { type: 'endpoint', id: 'GET /api/v1/audit' } },
    ]);
    await expectProblem(before, 403, 'forbidden');
    await expectProblem(after, 403, 'forbidden');
  });

  it('has no row of who is not there, or of something else by that name', async () => {
    const [row] = await listAll(`&actor=${admin.callerId}`, 200);
    const nothing = [
      `&actor=${randomUUID()}`,
      `&actor=${admin.callerId.slice(0, -1)}`,
      `&object_type=project&object_id=${row?.object.id}&action=file.delete`,
      `&actor=${admin.callerId}&to=2020-01-01`,
      `&actor=${admin.callerId}&from=2999-01-01`,
    ];

    expect(await Promise.all(nothing.map((query) => listAll(query, 200)))).toEqual(nothing.map(() => []));
  });
});
