import { randomBytes } from 'node:crypto';
import { createKeyring, newApiKey, type Scope, scopes } from '../../../src/lib/security/index.ts';
import { inDatabase } from '../../support/api.ts';
import type { App } from '../../support/app.ts';

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
  const one = async (kind: string, scopesOf: readonly Scope[]) => [await keyCaller(app, kind, scopesOf)];
  const single = await Promise.all(
    everyScopeButAdmin.map(async (scope) => [scope, await one(scope, [scope])] as const),
  );
  return {
    nobody: [{ name: 'nobody', headers: {}, id: '' }],
    bad: await badCallers(app),
    stranger: await one('stranger', everyScopeButAdmin),
    owner: await one('owner', everyScopeButAdmin),
    member: await one('member', everyScopeButAdmin),
    admin: await one('admin', ['admin']),
    ...(Object.fromEntries(single) as Record<(typeof everyScopeButAdmin)[number], Caller[]>),
  };
}

/** A caller with an API key of these scopes. */
async function keyCaller(app: App, name: string, scopesOf: readonly Scope[]): Promise<Caller> {
  const { id, text } = await insertKey(app, scopesOf);
  return { name, headers: { 'x-api-key': text }, id: `key:${id}` };
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
  const claims = { sub: 'admin', roles: ['admin'], exp: 4_102_444_800 };
  const tokenOf = (header: object, signature: string) =>
    [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') +
    `.${signature}`;
  const credentials: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'an expired key': { 'x-api-key': expired.text },
    'a revoked key': { 'x-api-key': revoked.text },
    'an unknown key': { 'x-api-key': newApiKey(keyringOf(app)).text },
    'the secret of another key': { 'x-api-key': `csk_${good.id}_${secret}` },
    'a key in capitals': { 'x-api-key': good.text.toUpperCase() },
    'a key as bearer': { authorization: `Bearer ${good.text}` },
    'a key as basic': { authorization: `Basic ${Buffer.from(`${good.text}:`).toString('base64')}` },
    'a key in a cookie': { cookie: `x-api-key=${good.text}` },
    'a token without signature': { authorization: `Bearer ${tokenOf({ alg: 'none', typ: 'JWT' }, '')}` },
    'a token signed by somebody': {
      authorization: `Bearer ${tokenOf({ alg: 'HS256', typ: 'JWT' }, secret)}`,
    },
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
