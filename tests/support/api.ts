import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { expect, inject } from 'vitest';
import { createKeyring, newApiKey, type Scope } from '../../src/lib/security/index.ts';
import { testSecretKey } from './app.ts';
import { claimsOf, sharedToken } from './jwt.ts';

/** Calls the app that all end-to-end tests share, with one credential. */
export interface Api {
  (path: string, init?: RequestInit): Promise<Response>;
  /** The API key; empty for a client without credential. */
  readonly key: string;
  /** Owner id of what this caller creates. */
  readonly callerId: string;
}

/** A client with the given API key; without one, a client that sends no credential. */
export function apiWith(key?: string, baseUrl = inject('baseUrl')): Api {
  const headers = key === undefined ? {} : { 'x-api-key': key };
  return Object.assign(callsWith(headers, baseUrl), {
    key: key ?? '',
    callerId: `key:${key?.split('_')[1]}`,
  });
}

/** A client with a bearer token; by default a good one of the user, with the given claims. */
export function apiWithToken(
  {
    sub = '',
    token,
    ...claims
  }: { readonly sub?: string; readonly token?: string; readonly [claim: string]: unknown },
  baseUrl = inject('baseUrl'),
): Api {
  const text = token ?? sharedToken(claimsOf(sub, claims));
  return Object.assign(callsWith({ authorization: `Bearer ${text}` }, baseUrl), { key: '', callerId: sub });
}

function callsWith(credential: Readonly<Record<string, string>>, baseUrl: string) {
  return (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(credential)) headers.set(name, value);
    return fetch(`${baseUrl}${path}`, {
      redirect: 'manual',
      ...init,
      headers,
      signal: AbortSignal.timeout(20_000),
    });
  };
}

/** A client with every right. */
export function adminApi(): Api {
  return apiWith(inject('adminKey'));
}

/** A new caller with just these scopes. */
export async function newCaller(...scopes: Scope[]): Promise<Api> {
  const key = newApiKey(createKeyring(testSecretKey));
  await inDatabase((client) =>
    client.query('insert into api_keys (id, name, hash, scopes) values ($1, $2, $3, $4)', [
      key.id,
      'test',
      key.hash,
      scopes,
    ]),
  );
  return apiWith(key.text);
}

/** Makes a project with the given members. */
export async function newProject(...members: readonly Api[]): Promise<string> {
  const id = randomUUID();
  await inDatabase(async (client) => {
    await client.query('insert into projects (id, name) values ($1, $2)', [id, 'test']);
    for (const { callerId } of members) {
      await client.query('insert into project_members (project_id, user_id) values ($1, $2)', [id, callerId]);
    }
  });
  return id;
}

/** Looks into the database of the app. */
export async function inDatabase<T>(
  work: (client: pg.Client) => Promise<T>,
  databaseUrl = inject('databaseUrl'),
): Promise<T> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * What `look` sees once maintenance has run. It is asked for again and again: a run that comes while the timer's own is
 * under way is skipped, and one that was killed keeps the lock for another minute.
 */
export function afterMaintenance<T>(baseUrl: string, look: () => Promise<T>) {
  const maintainAndLook = async () => {
    await fetch(`${baseUrl}/admin/functions/maintenance`, json({ input: '' }));
    return look();
  };
  return expect.poll(maintainAndLook, { timeout: 75_000, interval: 500 });
}

/** A request with a JSON body. */
export function json(body: unknown, method = 'POST'): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Holds an answer against what every problem must be. */
export async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  const text = await response.text();
  expect(`${response.status} ${text}`).toContain(`${status} {`);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(JSON.parse(text)).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code,
    correlation_id: response.headers.get('x-correlation-id'),
  });
}

/** Reads an answer in JSON. */
export async function bodyOf<T>(response: Response | Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}
