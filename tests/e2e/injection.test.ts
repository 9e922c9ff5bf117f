import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { endpoints } from '../../src/functions/index.ts';
import { type Scope, scopes } from '../../src/lib/security/index.ts';
import { adminApi, apiWith, bodyOf, json, newCaller } from '../support/api.ts';
import { rawRequest } from '../support/raw-request.ts';
import { formOf, pngBytes, uploaded } from '../support/uploads.ts';

/*
 * The platform mixes query string and JSON body into what its library takes headers and parameters from, and its front end
 * speaks to the app in headers that a client can write as well. None of it says who calls, or for what.
 */

const everyScopeButAdmin = scopes.filter((scope): scope is Scope => scope !== 'admin');
const principal = Buffer.from(
  JSON.stringify({
    auth_typ: 'aad',
    name_typ: 'name',
    role_typ: 'roles',
    claims: [
      { typ: 'sub', val: 'admin' },
      { typ: 'roles', val: 'admin' },
      { typ: 'scp', val: scopes.join(' ') },
    ],
  }),
).toString('base64');

/** Ways to say that one is an admin, without saying it in the header for it. */
function claims(key: string): Readonly<Record<string, { query?: string; headers?: Record<string, string> }>> {
  const forged = JSON.stringify({ 'x-api-key': key, authorization: `Bearer ${key}` });
  const platform = JSON.stringify({ 'x-ms-client-principal': principal });
  const query = (name: string, value: string) => ({ query: `${name}=${encodeURIComponent(value)}` });
  return {
    'headers in the query': query('headers', forged),
    'Headers in the query': query('Headers', forged),
    'HEADERS in the query': query('HEADERS', forged),
    'a principal as Headers in the query': query('Headers', platform),
    'the key in the query': query('x-api-key', key),
    'the key as code': query('code', key),
    'the key as access_token': query('access_token', key),
    'a request in the query': query('$request', `{"headers":${forged}}`),
    'the trigger in the query': query('httpTrigger', `{"headers":${forged}}`),
    'a principal of the platform': { headers: { 'x-ms-client-principal': principal } },
    'a principal as the platform spells it': {
      headers: { 'X-MS-CLIENT-PRINCIPAL': principal, 'x-ms-client-principal-idp': 'aad' },
    },
    'the id and name of a principal': {
      headers: { 'x-ms-client-principal-id': 'admin', 'x-ms-client-principal-name': 'admin' },
    },
    'a token of the platform': { headers: { 'x-ms-token-aad-access-token': key, 'x-zumo-auth': key } },
    'a key of the platform': { headers: { 'x-functions-key': key } },
    'an invocation of somebody else': { headers: { 'x-ms-invocation-id': randomUUID() } },
    'an address of this machine': { headers: { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '::1' } },
    'another method': { headers: { 'x-http-method-override': 'OPTIONS', 'x-method-override': 'HEAD' } },
    'another path': { headers: { 'x-original-url': '/health', 'x-rewrite-url': '/health' } },
    'a cookie': { headers: { cookie: `x-api-key=${key}; AppServiceAuthSession=${key}` } },
    'the key as user and password': { headers: { authorization: `Basic ${btoa(`${key}:`)}` } },
  };
}

const forgedBody = (key: string) => ({
  headers: { 'x-api-key': key, 'x-ms-client-principal': principal },
  Headers: { 'x-api-key': key },
  'x-api-key': key,
  caller: { id: 'admin', scopes },
});

const guarded = endpoints
  .filter(({ access }) => access.kind === 'scope')
  .map((endpoint) => [endpoint.name, endpoint] as const);
const adminOnly = guarded.filter(([, { access }]) => access.kind === 'scope' && access.scope === 'admin');
const pathOf = (route: string) => `/${route.replaceAll(/\{\w+\}/g, randomUUID())}`;

describe('who calls', () => {
  it.each(guarded)('is nobody at %s, whatever a client claims', async (_, { method, route }) => {
    const key = inject('adminKey');
    const body = method === 'GET' ? {} : json(forgedBody(key), method);

    const answers = await Promise.all(
      Object.entries(claims(key)).map(async ([claim, { query = '', headers = {} }]) => {
        const all = { ...Object.fromEntries(new Headers(body.headers)), ...headers };
        const response = await apiWith()(`${pathOf(route)}?${query}`, { ...body, method, headers: all });
        return [claim, response.status];
      }),
    );

    expect(answers.filter(([, status]) => status !== 401)).toEqual([]);
  });

  it.each(adminOnly)('is no admin at %s, whatever a client claims', async (_, { method, route }) => {
    const key = inject('adminKey');
    const stranger = await newCaller(...everyScopeButAdmin);
    const body = method === 'GET' ? {} : json(forgedBody(key), method);
    const others = Object.entries(claims(key)).filter(([, { headers }]) => !headers?.['authorization']);

    const answers = await Promise.all(
      others.map(async ([claim, { query = '', headers = {} }]) => {
        const all = { ...Object.fromEntries(new Headers(body.headers)), ...headers };
        const response = await stranger(`${pathOf(route)}?${query}`, { ...body, method, headers: all });
        return [claim, response.status];
      }),
    );

    expect(answers.filter(([, status]) => status !== 403)).toEqual([]);
  });

  it('is the owner of what is uploaded, whatever the form says', async () => {
    const caller = await newCaller('files:write');
    const fields = { owner_id: 'admin' };
    const refused = await caller('/api/v1/uploads', { method: 'POST', body: formOf(pngBytes(), { fields }) });
    const headers = { 'x-ms-client-principal': principal, 'x-ms-client-principal-id': 'admin' };
    const taken = await caller('/api/v1/uploads', { method: 'POST', body: formOf(pngBytes()), headers });

    expect(refused.status).toBe(422);
    expect(await bodyOf(taken)).toMatchObject({ owner_id: caller.callerId });
  });

  it('is nobody when two keys are sent, one of them good', async () => {
    const { host } = new URL(inject('baseUrl'));
    const lines = (...keys: string[]) =>
      `GET /api/v1/jobs HTTP/1.1\r\nhost: ${host}\r\n${keys.map((key) => `x-api-key: ${key}\r\n`).join('')}\r\n`;
    const [bad, good] = [`csk_${'0'.repeat(16)}_${'0'.repeat(43)}`, inject('adminKey')];

    const statuses = await Promise.all([lines(bad, good), lines(good, bad), lines(good, good)].map(statusOf));

    expect(statuses).toEqual(['401', '401', '401']);
    expect(await statusOf(lines(good))).toBe('200');
  });
});

/** The status of the first answer to a request that no client library would send. */
const statusOf = async (text: string) => (await rawRequest(text)).split(' ')[1] ?? '';

describe('what is asked for', () => {
  it.each(['id', 'ID', 'Id', 'iD', 'params', 'Params'])(
    'is what the path says, and never ?%s=',
    async (name) => {
      const caller = await newCaller('files:read', 'files:write');
      const [mine, other] = [await uploaded(caller), await uploaded(caller)];
      const value = name.toLowerCase() === 'id' ? other.id : JSON.stringify({ id: other.id });

      const renamed = await caller(`/api/v1/files/${mine.id}?${name}=${encodeURIComponent(value)}`);
      const plain = await caller(`/api/v1/FILES/${mine.id}`);
      const body = { id: other.id, ID: other.id, Id: other.id, params: { id: other.id }, headers: {} };
      const deleted = await caller(`/api/v1/files/${mine.id}`, json(body, 'DELETE'));

      expect(renamed.status).toBe(422);
      expect(await bodyOf(plain)).toMatchObject({ id: mine.id });
      expect(deleted.status).toBe(204);
      expect((await caller(`/api/v1/files/${mine.id}`)).status).toBe(404);
      expect((await caller(`/api/v1/files/${other.id}`)).status).toBe(200);
    },
  );

  it.each([
    ['fields that are not known', (id: string) => ({ file_id: id, headers: {}, query: {}, params: {} })],
    ['another spelling', (id: string) => ({ File_Id: id })],
    ['an object in place of a text', (id: string) => ({ file_id: { id } })],
    ['a list in place of a text', (id: string) => ({ file_id: [id] })],
    ['a prototype', (id: string) => JSON.parse(`{"file_id":"${id}","__proto__":{"admin":true}}`)],
  ])('is refused in a body with %s', async (_, bodyFor) => {
    const caller = await newCaller('files:write', 'files:share');
    const { id } = await uploaded(caller);

    const refused = await caller('/api/v1/sas', json(bodyFor(id)));
    const taken = await caller('/api/v1/sas', json({ file_id: id }));

    expect([refused.status, taken.status]).toEqual([422, 201]);
  });

  it('is what the body says, and never the query', async () => {
    const caller = await newCaller('files:write', 'files:share');
    const [mine, other] = [await uploaded(caller), await uploaded(caller)];
    const body = json({ file_id: mine.id });

    const statuses = await Promise.all(
      [`file_id=${other.id}`, `body={"file_id":"${other.id}"}`, 'Headers={}', '$request=x', 'req=x'].map(
        async (query) => (await caller(`/api/v1/sas?${encodeURI(query)}`, body)).status,
      ),
    );

    expect(new Set(statuses)).toEqual(new Set([422]));
  });

  it('is refused when it is said twice', async () => {
    const caller = await newCaller('files:read', 'reports:read');
    const repeated = [
      'per_page=1&per_page=200',
      'status=available&status=deleted',
      'per%5Fpage=1&per_page=2',
    ];

    for (const query of repeated) expect((await caller(`/api/v1/files?${query}`)).status).toBe(422);
    expect((await caller('/api/v1/reports/upload-activity?format=csv&format=json')).status).toBe(422);
    expect((await caller('/api/v1/reports/upload-activity?__proto__=x')).status).toBe(422);
    expect((await caller('/api/v1/reports/upload-activity?Headers=%7B%7D')).status).toBe(422);
  });

  it('does not depend on headers for the method', async () => {
    const caller = await newCaller('files:read', 'files:write');
    const { id } = await uploaded(caller);
    const headers = {
      'x-http-method-override': 'DELETE',
      'x-method-override': 'DELETE',
      'x-http-method': 'DELETE',
    };

    await caller(`/api/v1/files/${id}`, { headers });
    await caller(`/api/v1/files/${id}`, { method: 'OPTIONS', headers });

    expect((await caller(`/api/v1/files/${id}`)).status).toBe(200);
  });

  it('is answered to whoever asked, also when all claim to be one invocation', async () => {
    const callers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => newCaller('files:read', 'files:write')));
    const own = await Promise.all(callers.map((caller) => uploaded(caller)));
    const headers = { 'x-ms-invocation-id': randomUUID(), 'x-correlation-id': 'the-same-for-all' };

    const answers = await Promise.all(
      callers.map((caller, index) => caller(`/api/v1/files/${own[index]?.id}`, { headers })),
    );

    const seen = await Promise.all(answers.map((answer) => bodyOf<{ id: string; owner_id: string }>(answer)));
    expect(seen.map(({ id }) => id)).toEqual(own.map(({ id }) => id));
    expect(seen.map(({ owner_id: owner }) => owner)).toEqual(callers.map(({ callerId }) => callerId));
  });

  it('does not change addresses in the answer', async () => {
    const caller = await newCaller('files:write', 'files:share');
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'gopher',
      forwarded: 'host=evil.example',
    };

    const answer = await caller('/api/v1/uploads', { method: 'POST', body: formOf(pngBytes()), headers });
    const file = await bodyOf<{ id: string }>(answer);
    const link = await caller('/api/v1/sas', {
      ...json({ file_id: file.id }),
      headers: { 'content-type': 'application/json', ...headers },
    });

    expect(answer.headers.get('location')).toBe(`/api/v1/files/${file.id}`);
    expect(`${JSON.stringify(file)}${await link.text()}`).not.toMatch(/evil\.example|gopher/);
  });
});

describe('an admin', () => {
  it('is one still, with all of that beside the key', async () => {
    const { headers = {} } = claims('x')['a principal of the platform'] ?? {};

    expect((await adminApi()('/api/v1/jobs', { headers })).status).toBe(200);
  });
});
