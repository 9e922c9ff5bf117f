import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Api,
  adminApi,
  bodyOf,
  expectProblem,
  inDatabase,
  json,
  newCaller,
  newProject,
} from '../../support/api.ts';
import { type FileJson, formOf, pngBytes } from '../../support/uploads.ts';

/*
 * Whatever shows several things at once shows a caller those that they get one by one, and all of these. The measure is
 * `GET /api/v1/files/{id}`, of which the matrix says who gets what.
 */

interface World {
  readonly callers: Readonly<Record<string, Api>>;
  readonly projectIds: readonly string[];
  readonly files: readonly WorldFile[];
}

interface WorldFile {
  readonly id: string;
  readonly ownerId: string;
  readonly status: string;
  readonly projectId: string | null;
}

interface Page {
  readonly data: readonly { readonly id: string }[];
  readonly total?: number;
  readonly next_cursor: string | null;
}

const names = ['admin', 'anna', 'ben', 'cleo', 'stranger'];
const prefix = `visible-${randomUUID()}-`;
const visible: Record<string, readonly WorldFile[]> = {};
let world: World;

beforeAll(async () => {
  world = await makeWorld();
  for (const name of names) {
    const answers = await Promise.all(
      world.files.map(async ({ id }) => (await as(name)(`/api/v1/files/${id}`)).status),
    );
    expect(new Set(answers.filter((status) => status !== 200))).toEqual(
      new Set(name === 'admin' ? [] : [404]),
    );
    visible[name] = world.files.filter((_, index) => answers[index] === 200);
  }
});

/** Three owners, of whom each two share a project; files of each owner in each project and in none, in every status. */
async function makeWorld(): Promise<World> {
  const scopes = ['files:read', 'files:write', 'files:share', 'reports:read', 'backups:write'] as const;
  const [anna, ben, cleo, stranger] = [
    await newCaller(...scopes),
    await newCaller(...scopes),
    await newCaller(...scopes),
    await newCaller(...scopes),
  ];
  const projectIds = [await newProject(anna, ben), await newProject(ben, cleo), await newProject()];
  const files = [anna, ben, cleo].flatMap(({ callerId: ownerId }) =>
    [null, ...projectIds].flatMap((projectId) =>
      ['available', 'quarantined', 'pending', 'deleted'].map((status) => ({
        id: randomUUID(),
        ownerId,
        status,
        projectId,
      })),
    ),
  );
  await inDatabase(async (db) => {
    for (const { id, ownerId, status, projectId } of files)
      await db.query(
        `insert into files (id, name, content_type, size, sha256, status, project_id, owner_id, container, blob_name,
           created_at, uploaded_at, deleted_at, trashed_at)
         values ($1::uuid, $5 || $1, 'image/png', 100, repeat('0', 64), $2, $3, $4, 'crownsafe-images', $1 || '.png', now(),
           case when $2 <> 'pending' then now() end, case when $2 = 'deleted' then now() end,
           case when $2 = 'deleted' then now() end)`,
        [id, status, projectId, ownerId, prefix],
      );
  });
  return { callers: { admin: adminApi(), anna, ben, cleo, stranger }, projectIds, files };
}

function as(name: string): Api {
  const api = world.callers[name];
  if (!api) throw new Error(`${name} is nobody`);
  return api;
}

const idsOf = (files: readonly { readonly id: string }[]) => files.map(({ id }) => id).sort();
/** Ids of this test in a text of any form, each once. */
const idsIn = (text: string) => idsOf(world.files.filter(({ id }) => text.includes(id)));
const seenBy = (name: string, condition: (file: WorldFile) => boolean) =>
  idsOf((visible[name] ?? []).filter(condition));

/** Goes through a list, page by page. */
async function listAll(name: string, query: string): Promise<{ ids: string[]; total: number | undefined }> {
  const found: { id: string }[] = [];
  const list = `/api/v1/files?prefix=${prefix}&per_page=7${query}`;
  const first = await bodyOf<Page>(as(name)(list));
  for (let page = first; ; page = await bodyOf<Page>(as(name)(`${list}&cursor=${page.next_cursor}`))) {
    found.push(...page.data);
    if (page.next_cursor === null) return { ids: idsOf(found), total: first.total };
  }
}

describe('what a caller gets one by one', () => {
  it('is their own and that of their projects, all but what is deleted; for admins everything', () => {
    const expected = (name: string) => {
      const [annaBen = '', benCleo = ''] = world.projectIds;
      const projectsOf: Record<string, string[]> = {
        anna: [annaBen],
        ben: [annaBen, benCleo],
        cleo: [benCleo],
      };
      return idsOf(
        world.files.filter(
          ({ ownerId, projectId, status }) =>
            status !== 'deleted' &&
            (ownerId === as(name).callerId || projectsOf[name]?.includes(projectId ?? 'none')),
        ),
      );
    };

    for (const name of names.slice(1))
      expect([name, seenBy(name, () => true)]).toEqual([name, expected(name)]);
    expect(seenBy('admin', () => true)).toHaveLength(48);
    expect(seenBy('stranger', () => true)).toHaveLength(0);
  });
});

describe.each(names)('lists and reports for %s', (name) => {
  it.each(['-created_at', 'created_at', 'name', '-size'])(
    'have nothing else by %s, and all of it',
    async (sort) => {
      const list = await listAll(name, `&sort=${sort}`);

      const expected = seenBy(name, ({ status }) => status !== 'deleted');
      expect(list).toEqual({ ids: expected, total: expected.length });
    },
  );

  it.each(['available', 'quarantined', 'pending', 'deleted'])(
    'have nothing else of status %s',
    async (status) => {
      const list = await listAll(name, `&status=${status}`);

      const expected = seenBy(name, (file) => file.status === status);
      expect(list).toEqual({ ids: expected, total: expected.length });
    },
  );

  it('have nothing else of any project, or by any other filter', async () => {
    const filters = world.projectIds.map((id) => `&project_id=${id}`);
    const lists = await Promise.all(filters.map((filter) => listAll(name, filter)));
    const byType = await listAll(name, '&content_type=image/png&created_after=2020-01-01');
    const others = await listAll(name, '&content_type=image/gif');

    const expected = world.projectIds.map((id) =>
      seenBy(name, ({ projectId, status }) => projectId === id && status !== 'deleted'),
    );
    expect(lists).toEqual(expected.map((ids) => ({ ids, total: ids.length })));
    expect(byType.ids).toEqual(seenBy(name, ({ status }) => status !== 'deleted'));
    expect(others).toEqual({ ids: [], total: 0 });
  });

  it.each(['json', 'ndjson', 'csv'])('have nothing else in the report as %s', async (format) => {
    const response = await as(name)(`/api/v1/reports/upload-activity?format=${format}`);

    expect(response.status).toBe(200);
    expect(idsIn(await response.text())).toEqual(seenBy(name, ({ status }) => status !== 'pending'));
  });

  it('have nothing else to link to, also when others have had the link', async () => {
    const items = world.files.map(({ id }) => ({ file_id: id }));

    const { results } = await bodyOf<{
      results: { file_id: string; url?: string; problem?: { status: number } }[];
    }>(as(name)('/api/v1/sas/batch', json({ items })));
    const alone = await Promise.all(
      items.map(async (item) => (await as(name)('/api/v1/sas', json(item))).status),
    );

    const idsWith = (status: number) =>
      idsOf(results.filter(({ problem }) => problem?.status === status).map(({ file_id: id }) => ({ id })));
    const linked = results.filter(({ url }) => url !== undefined).map(({ file_id: id }) => ({ id }));
    const isLinked = ({ status }: WorldFile) => status === 'available';
    const isNotYet = ({ status }: WorldFile) => status === 'quarantined' || status === 'pending';
    expect(idsOf(linked)).toEqual(seenBy(name, isLinked));
    expect(idsWith(409)).toEqual(seenBy(name, isNotYet));
    expect(linked.length + idsWith(409).length + idsWith(404).length).toBe(world.files.length);
    expect(alone).toEqual(results.map(({ problem }) => problem?.status ?? 201));
  });

  it('have nothing else after the cursor of somebody else', async () => {
    const list = `/api/v1/files?prefix=${prefix}&per_page=3`;
    for (const other of ['admin', 'ben']) {
      const { next_cursor: cursor } = await bodyOf<Page>(as(other)(list));

      const page = await bodyOf<Page>(as(name)(`${list}&cursor=${cursor}`));

      const allowed = seenBy(name, () => true);
      expect(idsOf(page.data).filter((id) => !allowed.includes(id))).toEqual([]);
    }
  });
});

describe('an idempotency key', () => {
  it('gives nobody the answer of somebody else', async () => {
    const { anna, ben } = world.callers;
    if (!anna || !ben) throw new Error('nobody is there');
    const bytes = pngBytes();
    const upload = (api: Api) => {
      const headers = { 'idempotency-key': prefix };
      return api('/api/v1/uploads', { method: 'POST', headers, body: formOf(bytes) });
    };

    const answers = [await upload(anna), await upload(ben), await upload(anna)];
    const [first, others, again] = await Promise.all(answers.map((answer) => bodyOf<FileJson>(answer)));

    expect(answers.map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, null, 'true']);
    expect(first).toMatchObject({ owner_id: anna.callerId });
    expect(others).toMatchObject({ owner_id: ben.callerId });
    expect(again).toEqual(first);
    expect(others?.id).not.toBe(first?.id);
    await expectProblem(await ben(`/api/v1/files/${first?.id}`), 404, 'not_found');
  });
});

describe('who has left a project', () => {
  it('sees nothing of it from that moment on', async () => {
    const [owner, member] = [
      await newCaller('files:write'),
      await newCaller('files:read', 'files:share', 'reports:read'),
    ];
    const projectId = await newProject(owner, member);
    const form = formOf(pngBytes(), { fields: { project_id: projectId } });
    const { id } = await bodyOf<FileJson>(owner('/api/v1/uploads', { method: 'POST', body: form }));
    const look = async () => [
      (await member(`/api/v1/files/${id}`)).status,
      (await member(`/api/v1/files/${id}/content`)).status,
      (await member('/api/v1/sas', json({ file_id: id }))).status,
      (await (await member('/api/v1/files')).text()).includes(id),
      (await (await member('/api/v1/reports/upload-activity')).text()).includes(id),
    ];

    const before = await look();
    await inDatabase((db) => db.query('delete from project_members where user_id = $1', [member.callerId]));
    const after = await look();

    expect(before).toEqual([200, 200, 201, true, true]);
    expect(after).toEqual([404, 404, 404, false, false]);
  });
});

describe('a key that is revoked', () => {
  it('opens nothing from that moment on', async () => {
    const caller = await newCaller('files:read');
    const look = async () => (await caller('/api/v1/files')).status;

    const before = await look();
    await inDatabase((db) =>
      db.query(`update api_keys set revoked_at = now() where id = $1`, [
        caller.callerId.slice('key:'.length),
      ]),
    );

    expect(before).toBe(200);
    expect(await look()).toBe(401);
  });
});
