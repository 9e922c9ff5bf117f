import { describe, expect, it } from 'vitest';
import {
  type Api,
  adminApi,
  apiWith,
  bodyOf,
  expectProblem,
  inDatabase,
  json,
  newCaller,
} from '../support/api.ts';
import { pngBytes, uploaded, uploadForm } from '../support/uploads.ts';

interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly key?: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
}

interface Page<Item> {
  readonly data: readonly Item[];
  readonly total: number;
  readonly next_cursor: string | null;
}

const newKey = async (request: object, api: Api = adminApi()) => {
  const response = await api('/api/v1/api-keys', json({ name: 'phone', scopes: ['files:read'], ...request }));
  expect(response.status).toBe(201);
  return { response, key: await bodyOf<ApiKey & { key: string }>(response) };
};

const newProject = async (name = 'recalls') => {
  const response = await adminApi()('/api/v1/projects', json({ name }));
  expect(response.status).toBe(201);
  return { response, project: await bodyOf<{ id: string; created_at: string }>(response) };
};

const membership = (projectId: string, userId: string) =>
  `/api/v1/projects/${projectId}/members/${encodeURIComponent(userId)}`;

describe('an API key', () => {
  it('is shown once, works for what it was made for, and not any more from when it is revoked', async () => {
    const admin = adminApi();
    const { response, key } = await newKey({ expires_in_days: 7 });
    const api = apiWith(key.key);

    const works = await api('/api/v1/files');
    const beyond = await api('/api/v1/api-keys');
    const { key: _shownOnce, ...description } = key;
    const got = await bodyOf(admin(`/api/v1/api-keys/${key.id}`));
    const listed = await bodyOf<Page<ApiKey>>(admin('/api/v1/api-keys?per_page=200'));
    const revoked = await admin(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' });

    expect(response.headers.get('location')).toBe(`/api/v1/api-keys/${key.id}`);
    expect(key).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'phone',
      scopes: ['files:read'],
      created_at: expect.any(String),
      created_by: admin.callerId,
      expires_at: expect.any(String),
      last_used_at: null,
      revoked_at: null,
      key: expect.stringMatching(new RegExp(`^csk_${key.id}_[A-Za-z0-9_-]{43}$`)),
    });
    expect(works.status).toBe(200);
    await expectProblem(beyond, 403, 'forbidden');
    expect(got).toMatchObject({ ...description, last_used_at: expect.toSatisfy(isTimeOrNull) });
    expect(listed.data.find(({ id }) => id === key.id)).toMatchObject({ name: 'phone' });
    expect(JSON.stringify([got, listed])).not.toContain(key.key.slice(-43));
    expect(revoked.status).toBe(204);
    await expectProblem(await api('/api/v1/files'), 401, 'unauthorized');
    await expectProblem(await admin(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' }), 404, 'not_found');
    const trail = await bodyOf<{ data: { action: string; actor: string }[] }>(
      admin(`/api/v1/audit?object_type=api_key&object_id=${key.id}`),
    );
    expect(trail.data.map(({ action, actor }) => [action, actor])).toEqual([
      ['api_key.revoke', admin.callerId],
      ['api_key.create', admin.callerId],
    ]);
    expect(await bodyOf(admin(`/api/v1/api-keys/${key.id}`))).toMatchObject({
      revoked_at: expect.any(String),
    });
  });

  it('is made once for an idempotency key, and told once', async () => {
    const admin = adminApi();
    const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() };
    const send = (name: string) =>
      admin('/api/v1/api-keys', {
        method: 'POST',
        headers,
        body: JSON.stringify({ name, scopes: ['files:read'] }),
      });

    const first = await send('once');
    const again = await send('once');
    const other = await send('other');

    const { id, key } = await bodyOf<ApiKey>(first);
    expect(first.status).toBe(201);
    expect(again.headers.get('location')).toBe(`/api/v1/api-keys/${id}`);
    const secret = String(key).slice(-43);
    expect(await again.clone().text()).not.toContain(secret);
    await expectProblem(again, 409, 'already_done');
    await expectProblem(other, 422, 'idempotency_key_reused');
    const kept = await inDatabase((db) =>
      db.query('select row_to_json(k)::text as text from idempotency_keys k where key = $1', [
        headers['idempotency-key'],
      ]),
    );
    expect(kept.rows).toHaveLength(1);
    expect(kept.rows[0].text).not.toContain(secret);
  });

  it('cannot end itself, and neither can its data be erased by it', async () => {
    const { key } = await newKey({ scopes: ['admin'] });
    const api = apiWith(key.key);

    const revoked = await api(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' });
    const erased = await api(`/api/v1/users/${encodeURIComponent(`key:${key.id}`)}/data`, {
      method: 'DELETE',
    });

    await expectProblem(revoked, 409, 'own_api_key');
    await expectProblem(erased, 409, 'own_api_key');
    expect((await api('/api/v1/api-keys')).status).toBe(200);
  });

  it.each([
    ['no name', { name: undefined }],
    ['an empty name', { name: '' }],
    ['a name of 201 characters', { name: 'x'.repeat(201) }],
    ['a line break in its name', { name: 'a\nb' }],
    ['an escape in its name', { name: 'a\u001b[2Jb' }],
    ['no scopes', { scopes: [] }],
    ['an unknown scope', { scopes: ['files:fly'] }],
    ['a scope twice', { scopes: ['admin', 'admin'] }],
    ['an end that is over', { expires_in_days: 0 }],
    ['an end in eleven years', { expires_in_days: 4_015 }],
    ['half a day', { expires_in_days: 0.5 }],
    ['a field of its own', { hash: 'x' }],
  ])('is refused with %s', async (_, wrong) => {
    const request = { name: 'phone', scopes: ['files:read'], ...wrong };

    await expectProblem(await adminApi()('/api/v1/api-keys', json(request)), 422, 'validation_failed');
  });

  it('is listed page by page, newest first, none twice and none left out', async () => {
    const made: string[] = [];
    for (let n = 0; n < 5; n++) made.push((await newKey({ name: `page ${n}` })).key.id);

    const seen: ApiKey[] = [];
    for (let path = '/api/v1/api-keys?per_page=2'; path !== ''; ) {
      const { data, next_cursor: cursor } = await bodyOf<Page<ApiKey>>(adminApi()(path));
      seen.push(...data);
      path = cursor === null ? '' : `/api/v1/api-keys?per_page=2&cursor=${encodeURIComponent(cursor)}`;
    }

    const ids = seen.map(({ id }) => id);
    expect(ids.filter((id) => made.includes(id))).toEqual(made.toReversed());
    expect(new Set(ids).size).toBe(ids.length);
    const times = seen.map(({ created_at }) => created_at);
    expect(times).toEqual(times.toSorted().toReversed());
    const { next_cursor: cursor } = await bodyOf<Page<ApiKey>>(adminApi()('/api/v1/api-keys?per_page=1'));
    const elsewhere = `/api/v1/projects?cursor=${encodeURIComponent(String(cursor))}`;
    await expectProblem(await adminApi()(elsewhere), 422, 'validation_failed');
  });
});

describe('who is calling', () => {
  it('is told to everybody with a credential, and to nobody else', async () => {
    const { key } = await newKey({ scopes: ['scans:read', 'files:read'], expires_in_days: 1 });
    const { project } = await newProject();
    await adminApi()(membership(project.id, `key:${key.id}`), { method: 'PUT' });

    const me = await apiWith(key.key)('/api/v1/me');

    expect(me.status).toBe(200);
    expect(await me.json()).toEqual({
      id: `key:${key.id}`,
      scopes: ['files:read', 'scans:read'],
      project_ids: [project.id],
      credential: { kind: 'api_key', expires_at: key.expires_at },
    });
    expect(await bodyOf(adminApi()('/api/v1/me'))).toMatchObject({
      scopes: ['admin'],
      credential: { expires_at: null },
    });
    await expectProblem(await apiWith()('/api/v1/me'), 401, 'unauthorized');
    await expectProblem(await apiWith(`${key.key.slice(0, -1)}!`)('/api/v1/me'), 401, 'unauthorized');
  });
});

describe('a project', () => {
  it('shows its files to a member from when they are added until they are removed', async () => {
    const admin = adminApi();
    const { response, project } = await newProject();
    const [owner, member] = [
      await newCaller('files:write', 'files:read'),
      await newCaller('files:read', 'files:write'),
    ];
    await admin(membership(project.id, owner.callerId), { method: 'PUT' });
    const file = await uploaded(owner, pngBytes(), { fields: { project_id: project.id } });
    const look = async () => (await member(`/api/v1/files/${file.id}`)).status;
    const upload = async () =>
      (await uploadForm(member, pngBytes(), { fields: { project_id: project.id } })).status;

    const before = [await look(), await upload()];
    const added = [
      (await admin(membership(project.id, member.callerId), { method: 'PUT' })).status,
      (await admin(membership(project.id, member.callerId), { method: 'PUT' })).status,
    ];
    const meanwhile = [await look(), await upload()];
    const shown = await bodyOf(admin(`/api/v1/projects/${project.id}`));
    const removed = [
      (await admin(membership(project.id, member.callerId), { method: 'DELETE' })).status,
      (await admin(membership(project.id, member.callerId), { method: 'DELETE' })).status,
    ];
    const after = [await look(), await upload()];

    expect(response.headers.get('location')).toBe(`/api/v1/projects/${project.id}`);
    expect([before, meanwhile, after]).toEqual([
      [404, 404],
      [200, 201],
      [404, 404],
    ]);
    expect([added, removed]).toEqual([
      [204, 204],
      [204, 204],
    ]);
    expect(shown).toEqual({
      id: project.id,
      name: 'recalls',
      created_at: project.created_at,
      members: [owner, member].map(({ callerId }) => ({ user_id: callerId, added_at: expect.any(String) })),
    });
  });

  it('is made once for an idempotency key, and listed', async () => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() };
    const send = () =>
      adminApi()('/api/v1/projects', { method: 'POST', headers, body: JSON.stringify({ name: 'once' }) });

    const [first, again] = [await send(), await send()];

    const project = await bodyOf<{ id: string }>(first);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await again.json()).toEqual(project);
    const { data } = await bodyOf<Page<object>>(adminApi()('/api/v1/projects'));
    expect(data).toContainEqual(project);
  });

  it('takes members whose ids have to be written in percent, and no others than may be kept', async () => {
    const { project } = await newProject();
    const odd = 'auth0|Ann/Müller ?&#%2F..@example.com';
    const add = async (userId: string) =>
      (await adminApi()(membership(project.id, userId), { method: 'PUT' })).status;

    const added = [await add(odd), await add('x'.repeat(200))];
    const refused = [await add('x'.repeat(201)), await add('a\nb'), await add('a\u0085b')];
    const { members } = await bodyOf<{ members: { user_id: string }[] }>(
      adminApi()(`/api/v1/projects/${project.id}`),
    );

    expect(added).toEqual([204, 204]);
    expect(refused).toEqual([404, 404, 404]);
    expect(members.map(({ user_id }) => user_id).toSorted()).toEqual([odd, 'x'.repeat(200)].toSorted());
  });

  it('that is not there is told so', async () => {
    const admin = adminApi();
    const id = crypto.randomUUID();

    for (const [path, method] of [
      [`/api/v1/projects/${id}`, 'GET'],
      [`/api/v1/projects/nonsense`, 'GET'],
      [membership(id, 'ann'), 'PUT'],
      [membership(id, 'ann'), 'DELETE'],
    ] as const)
      await expectProblem(await admin(path, { method }), 404, 'not_found');
    await expectProblem(await admin('/api/v1/projects', json({})), 422, 'validation_failed');
    await expectProblem(await admin('/api/v1/projects?sort=name', {}), 422, 'validation_failed');
  });
});

it('administration is for admins only', async () => {
  const others = await newCaller(
    'files:read',
    'files:write',
    'files:share',
    'monitoring:read',
    'backups:read',
    'backups:write',
    'reports:read',
    'scans:read',
    'scans:write',
  );
  const id = crypto.randomUUID();
  const requests: [string, RequestInit][] = [
    ['/api/v1/api-keys', {}],
    ['/api/v1/api-keys', json({ name: 'mine', scopes: ['admin'] })],
    [`/api/v1/api-keys/${'a'.repeat(16)}`, {}],
    [`/api/v1/api-keys/${'a'.repeat(16)}`, { method: 'DELETE' }],
    ['/api/v1/projects', {}],
    ['/api/v1/projects', json({ name: 'mine' })],
    [`/api/v1/projects/${id}`, {}],
    [membership(id, others.callerId), { method: 'PUT' }],
    [membership(id, others.callerId), { method: 'DELETE' }],
    ['/api/v1/users/ann/data', { method: 'DELETE' }],
  ];

  for (const [path, init] of requests) {
    await expectProblem(await others(path, init), 403, 'forbidden');
    await expectProblem(await apiWith()(path, init), 401, 'unauthorized');
  }
});

function isTimeOrNull(value: unknown): boolean {
  return value === null || !Number.isNaN(Date.parse(String(value)));
}
