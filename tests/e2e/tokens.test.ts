import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { endpoints } from '../../src/functions/index.ts';
import {
  apiWith,
  apiWithToken,
  bodyOf,
  expectProblem,
  inDatabase,
  json,
  newCaller,
  newProject,
} from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';
import { claimsOf, type IssuerKey, issuedToken, makeIssuerKey, sharedToken } from '../support/jwt.ts';
import {
  type Answer,
  type MisbehavingServer,
  startMisbehavingServer,
} from '../support/misbehaving-server.ts';
import { type FileJson, pngBytes, uploaded, uploadForm } from '../support/uploads.ts';

const newUser = (claims: object) => apiWithToken({ sub: `user|${randomUUID()}`, ...claims });
const mine = async (api: ReturnType<typeof newUser>) =>
  (await bodyOf<{ data: FileJson[] }>(api('/api/v1/files'))).data;

describe('a user with a bearer token', () => {
  it('owns what it uploads, and sees no files of others', async () => {
    const [alice, bob] = [newUser({ scope: 'files:read files:write' }), newUser({ scp: ['files:read'] })];

    const file = await uploaded(alice);

    expect(file).toMatchObject({ owner_id: alice.callerId });
    expect((await mine(alice)).map(({ id }) => id)).toEqual([file.id]);
    expect(await mine(bob)).toEqual([]);
    await expectProblem(await bob(`/api/v1/files/${file.id}`), 404, 'not_found');
    await expectProblem(await bob(`/api/v1/files/${file.id}`, { method: 'DELETE' }), 403, 'forbidden');
  });

  it('belongs to projects by the database or by a claim, if the project exists', async () => {
    const scope = 'files:read files:write';
    const member = newUser({ scope });
    const project = await newProject(member);
    const claimed = newUser({ scope, projects: [project] });
    const noSuch = randomUUID();

    const { id } = await uploaded(member, pngBytes(), { fields: { project_id: project } });

    expect((await mine(claimed)).map((file) => file.id)).toEqual([id]);
    const foreign = await uploadForm(newUser({ scope }), pngBytes(), { fields: { project_id: project } });
    const nowhere = await uploadForm(newUser({ scope, projects: [noSuch] }), pngBytes(), {
      fields: { project_id: noSuch },
    });
    await expectProblem(foreign, 404, 'not_found');
    await expectProblem(nowhere, 404, 'not_found');
  });

  it('may do everything with the role', async () => {
    const file = await uploaded(newUser({ scope: 'files:write' }));

    const response = await newUser({ roles: ['admin'] })(`/api/v1/files/${file.id}`);

    expect(response.status).toBe(200);
  });

  it.each(
    endpoints.flatMap(({ access, method, route }) =>
      access.kind === 'scope' ? [[method, route, access.scope]] : [],
    ),
  )('is known at %s /%s, and told which scope is missing', async (method, route, scope) => {
    const response = await newUser({ scope: 'openid' })(`/${route.replaceAll(/\{\w+\}/g, randomUUID())}`, {
      method,
    });

    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="crownsafe", error="insufficient_scope", scope="${scope}"`,
    );
    await expectProblem(response, 403, 'forbidden');
  });

  it.each([
    ['forged', sharedToken(claimsOf('alice', { roles: 'admin' }), 'x'.repeat(32))],
    ['expired', sharedToken(claimsOf('alice', { exp: 1 }))],
    ['another caller by its name', sharedToken(claimsOf('key:0123456789abcdef', { roles: 'admin' }))],
    ['an API key', inject('adminKey')],
    ['of an issuer that nobody knows', issuedToken(makeIssuerKey('1'), claimsOf('alice'))],
    ['much too long', 'a'.repeat(9_000)],
  ])('is nobody when the token is %s', async (_, token) => {
    const response = await apiWithToken({ token })('/api/v1/files');

    expect(response.headers.get('www-authenticate')).toBe(
      'ApiKey realm="crownsafe", Bearer realm="crownsafe", error="invalid_token"',
    );
    await expectProblem(response, 401, 'unauthorized');
  });

  it('is asked to send one credential, not two', async () => {
    const caller = await newCaller('files:read');

    const both = await caller('/api/v1/files', {
      headers: { authorization: `Bearer ${sharedToken(claimsOf('alice', { scope: 'files:read' }))}` },
    });

    await expectProblem(both, 401, 'unauthorized');
  });

  it('is not who a header says that no front end has written', async () => {
    await expectProblem(
      await apiWith()('/api/v1/files', { headers: { 'x-ms-client-principal': adminPrincipal } }),
      401,
      'unauthorized',
    );
  });
});

it('an API key tells when it was used last', async () => {
  const caller = await newCaller('files:read');
  const lastUse = () =>
    inDatabase(async (client) => {
      const id = caller.callerId.replace('key:', '');
      const { rows } = await client.query('select last_used_at from api_keys where id = $1', [id]);
      return rows[0]?.last_used_at;
    });

  const before = await lastUse();
  await caller('/api/v1/files');

  expect(before).toBeNull();
  await expect.poll(lastUse, { timeout: 10_000 }).toBeInstanceOf(Date);
});

const adminPrincipal = Buffer.from(
  JSON.stringify({
    auth_typ: 'aad',
    claims: [
      { typ: 'sub', val: 'front-end-user' },
      { typ: 'roles', val: 'admin' },
    ],
    name_typ: 'name',
    role_typ: 'roles',
  }),
).toString('base64');

describe('an app with an issuer and a front end', () => {
  const [old, fresh] = [makeIssuerKey('2026-01'), makeIssuerKey('2026-02', 'ES256')];
  const bound = { iss: 'https://login.example/', aud: 'api://crownsafe', scope: 'files:read' };
  const down: Answer = (_, response) => response.writeHead(404).end();
  const show =
    ({ jwk }: IssuerKey): Answer =>
    (_, response) =>
      response.end(JSON.stringify({ keys: [jwk] }));

  let current = down;
  let issuer: MisbehavingServer;
  let app: App;
  const ask = async (token: string) => (await apiWithToken({ token }, app.baseUrl)('/api/v1/files')).status;

  beforeAll(async () => {
    issuer = await startMisbehavingServer((...call) => current(...call));
    app = await startApp(inject('appFolder'), {
      JWT_JWKS_URL: `${issuer.origin}/keys`,
      JWT_ISSUER: bound.iss,
      JWT_AUDIENCE: bound.aud,
      EASY_AUTH: 'true',
    });
  });
  afterAll(async () => {
    await app?.stop();
    await issuer?.[Symbol.asyncDispose]();
  });

  it('cannot tell about a token while the issuer has shown no keys', async () => {
    const response = await apiWithToken(
      { token: issuedToken(old, claimsOf('alice', bound)) },
      app.baseUrl,
    )('/api/v1/files');

    expect(response.headers.get('retry-after')).toBe('5');
    await expectProblem(response, 503, 'unavailable');
  });

  it('knows users by the keys of the issuer, which is asked once', async () => {
    current = show(old);
    const askedBefore = issuer.requests.length;
    const askAtOnce = () =>
      Promise.all(
        Array.from({ length: 10 }, (_, index) => ask(issuedToken(old, claimsOf(`user ${index}`, bound)))),
      );

    // A second after it has failed it is asked again.
    await expect.poll(askAtOnce, { timeout: 10_000 }).toEqual(Array(10).fill(200));

    expect(issuer.requests.length).toBe(askedBefore + 1);
    expect(issuer.requests.at(-1)).toMatchObject({ method: 'GET', url: '/keys' });
  });

  it('refuses tokens that are for others, whoever has signed them', async () => {
    const refused = [
      issuedToken(makeIssuerKey(old.kid), claimsOf('alice', bound)),
      issuedToken(old, claimsOf('alice', { ...bound, aud: 'api://other' })),
      issuedToken(old, claimsOf('alice', { ...bound, iss: 'https://evil.example/' })),
      sharedToken(claimsOf('alice', { scope: 'files:read' })),
      sharedToken(claimsOf('alice', bound), old.publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    ];

    for (const token of refused) expect(await ask(token)).toBe(401);
    expect(await ask(sharedToken(claimsOf('alice', bound)))).toBe(200);
  });

  it('follows the issuer to new keys, and then knows the old one no more', async () => {
    current = show(fresh);

    expect(await ask(issuedToken(fresh, claimsOf('alice', bound)))).toBe(200);
    expect(await ask(issuedToken(old, claimsOf('alice', bound)))).toBe(401);
  });

  it('knows who has signed in at the front end, but not for what a foreign page asks', async () => {
    const signedIn = (path: string, init: RequestInit = {}) =>
      apiWith(undefined, app.baseUrl)(path, {
        ...init,
        headers: { ...init.headers, 'x-ms-client-principal': adminPrincipal },
      });
    const order = json({ state: 'auto' });
    const byForeignPage = { ...order, headers: { ...order.headers, 'sec-fetch-site': 'cross-site' } };

    const breaker = await bodyOf<object>(signedIn('/api/v1/monitoring/breakers/queue', order));

    expect(breaker).toMatchObject({ name: 'queue', set_by: 'front-end-user' });
    expect((await signedIn('/api/v1/files')).status).toBe(200);
    await expectProblem(
      await signedIn('/api/v1/monitoring/breakers/queue', byForeignPage),
      401,
      'unauthorized',
    );
  });
});
