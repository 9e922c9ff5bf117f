import { randomBytes, randomUUID } from 'node:crypto';
import { createKeyring, newApiKey, type Scope, scopes } from '../../../src/lib/security/index.ts';
import { inDatabase } from '../../support/api.ts';
import type { App } from '../../support/app.ts';
import { assemble, claimsOf, sharedToken } from '../../support/jwt.ts';

/** Somebody who calls: how they prove who they are, and under which id things are theirs. */
export interface Caller {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly id: string;
}

const everyScopeButAdmin = scopes.filter((scope) => scope !== 'admin');

/**
 * The columns of the matrix. `stranger`, `owner` and `member` (of the project the object is in) hold every scope but `admin`;
 * who is named for a scope holds that one alone, and owns the object.
 */
export const kinds = [
  'nobody',
  'bad',
  'stranger',
  'owner',
  'member',
  'admin',
  ...everyScopeButAdmin,
] as const;

export type Kind = (typeof kinds)[number];

/** Everybody there is of a kind: each of them must get the same answer. */
export type Callers = Readonly<Record<Kind, readonly Caller[]>>;

/** Makes one or more callers of each kind for an app. */
export async function makeCallers(app: App): Promise<Callers> {
  const both = async (name: string, scopesOf: readonly Scope[]) => [
    await keyCaller(app, name, scopesOf),
    tokenCaller(app, name, { scope: scopesOf.join(' ') }),
  ];
  const single = await Promise.all(
    everyScopeButAdmin.map(async (scope) => [scope, await both(scope, [scope])] as const),
  );
  return {
    nobody: [{ name: 'nobody', headers: {}, id: '' }],
    bad: await badCallers(app),
    stranger: await both('stranger', everyScopeButAdmin),
    owner: await both('owner', everyScopeButAdmin),
    member: await both('member', everyScopeButAdmin),
    admin: [...(await both('admin', ['admin'])), tokenCaller(app, 'admin by role', { roles: ['admin'] })],
    ...(Object.fromEntries(single) as Record<(typeof everyScopeButAdmin)[number], Caller[]>),
  };
}

async function keyCaller(app: App, name: string, scopesOf: readonly Scope[]): Promise<Caller> {
  const { id, text } = await insertKey(app, scopesOf);
  return { name: `${name} with a key`, headers: { 'x-api-key': text }, id: `key:${id}` };
}

function tokenCaller(app: App, name: string, claims: object): Caller {
  const id = `${name} ${randomUUID()}`;
  return { name: `${name} with a token`, headers: bearer(goodToken(app, id, claims)), id };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const inAnHour = () => Math.floor(Date.now() / 1000) + 3_600;

function goodToken(app: App, sub: string, claims: object): string {
  return sharedToken(claimsOf(sub, { exp: inAnHour(), ...claims }), app.env['JWT_SECRET']);
}

/** Credentials of somebody with every right, each with one thing wrong. */
async function badCallers(app: App): Promise<Caller[]> {
  const good = await insertKey(app, ['admin']);
  const expired = await insertKey(app, ['admin'], { expired: true });
  const revoked = await insertKey(app, ['admin'], { revoked: true });
  const secret = randomBytes(32).toString('base64url');
  const principal = Buffer.from(
    JSON.stringify({ auth_typ: 'aad', claims: [{ typ: 'roles', val: 'admin' }], userId: 'admin' }),
  ).toString('base64');
  const isAdmin = { roles: ['admin'] };
  const token = goodToken(app, 'admin', isAdmin);
  const claims = claimsOf('admin', { exp: inAnHour(), ...isAdmin });
  const credentials: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'an expired key': { 'x-api-key': expired.text },
    'a revoked key': { 'x-api-key': revoked.text },
    'an unknown key': { 'x-api-key': newApiKey(keyringOf(app)).text },
    'the secret of another key': { 'x-api-key': `csk_${good.id}_${secret}` },
    'a key in capitals': { 'x-api-key': good.text.toUpperCase() },
    'a key as bearer': bearer(good.text),
    'a key as basic': { authorization: `Basic ${Buffer.from(`${good.text}:`).toString('base64')}` },
    'a key in a cookie': { cookie: `x-api-key=${good.text}` },
    'a token as key': { 'x-api-key': token },
    'a key and a token at once': { 'x-api-key': good.text, ...bearer(token) },
    'a token of yesterday': bearer(goodToken(app, 'admin', { ...isAdmin, exp: inAnHour() - 90_000 })),
    'a token of tomorrow': bearer(goodToken(app, 'admin', { ...isAdmin, nbf: inAnHour() + 90_000 })),
    'a token without end': bearer(goodToken(app, 'admin', { ...isAdmin, exp: undefined })),
    'a token of a key': bearer(goodToken(app, `key:${good.id}`, isAdmin)),
    'a token of the app itself': bearer(goodToken(app, 'system:maintenance', isAdmin)),
    'a token without signature': bearer(assemble({ alg: 'none', typ: 'JWT' }, claims, () => Buffer.of())),
    'a token signed by somebody': bearer(sharedToken(claims, secret)),
    'a token signed with another secret of ours': bearer(sharedToken(claims, app.env['SECRET_KEY'])),
    'a token cut short': bearer(token.slice(0, -4)),
    'a principal of the platform': {
      'x-ms-client-principal': principal,
      'x-ms-client-principal-id': 'admin',
    },
    'an address of this machine': { 'x-forwarded-for': '127.0.0.1', 'x-original-url': '/health' },
  };
  return Object.entries(credentials).map(([name, headers]) => ({ name, headers, id: '' }));
}

/** The secret under which the app keeps its keys. */
const keyringOf = (app: App) => createKeyring(app.env['SECRET_KEY'] ?? '');

async function insertKey(app: App, scopesOf: readonly Scope[], { expired = false, revoked = false } = {}) {
  const key = newApiKey(keyringOf(app));
  await inDatabase(
    (db) =>
      db.query(
        `insert into api_keys (id, name, hash, scopes, created_at, expires_at, revoked_at)
         values ($1, 'test', $2, $3, now() - interval '2 days',
           case when $4 then now() - interval '1 second' end, case when $5 then now() end)`,
        [key.id, key.hash, scopesOf, expired, revoked],
      ),
    app.databaseUrl,
  );
  return key;
}
