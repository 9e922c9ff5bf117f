import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readCredentials } from '../../../src/lib/http/credentials.ts';
import { endpoint, json, scope } from '../../../src/lib/http/index.ts';
import type { Credentials } from '../../../src/lib/security/index.ts';
import { serve } from './served.ts';

const read = (method: string, headersDistinct: NodeJS.Dict<string[]>) =>
  readCredentials({ method, headersDistinct } as IncomingMessage);

const principal = { 'x-ms-client-principal': ['p'] };

describe('readCredentials', () => {
  it('reads each header that there is', () => {
    expect(read('GET', { 'x-api-key': ['k'], authorization: ['Bearer t'], ...principal })).toEqual({
      apiKey: 'k',
      authorization: 'Bearer t',
      clientPrincipal: 'p',
    });
    expect(read('GET', {})).toEqual({
      apiKey: undefined,
      authorization: undefined,
      clientPrincipal: undefined,
    });
  });

  it('makes one text of a header that came twice, which is no credential', () => {
    expect(read('GET', { authorization: ['Bearer a', 'Bearer b'], 'x-api-key': ['a', 'a'] })).toMatchObject({
      apiKey: 'a, a',
      authorization: 'Bearer a, Bearer b',
    });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'does not take over who has signed in for a %s by a foreign page',
    (method) => {
      const bySite = (site: string) =>
        read(method, { ...principal, 'sec-fetch-site': [site] }).clientPrincipal;

      expect(['cross-site', 'same-site', 'same-origin', 'none'].map(bySite)).toEqual([
        undefined,
        undefined,
        'p',
        'p',
      ]);
      expect(read(method, principal).clientPrincipal).toBe('p');
    },
  );

  it.each(['GET', 'HEAD'])('follows links of foreign pages: %s', (method) => {
    expect(read(method, { ...principal, 'sec-fetch-site': ['cross-site'] }).clientPrincipal).toBe('p');
  });

  it('leaves credentials that no browser adds by itself to foreign pages', () => {
    expect(read('POST', { 'x-api-key': ['k'], 'sec-fetch-site': ['cross-site'] }).apiKey).toBe('k');
  });
});

describe('the edge', () => {
  const guarded = endpoint({
    name: 'guarded',
    method: 'GET',
    route: 'guarded',
    summary: 'Guarded',
    access: scope('files:read'),
    responses: { 200: undefined },
    handle: () => json(200, {}),
  });

  it('hands on the headers as they came over the wire, both of two', async () => {
    const seen: Credentials[] = [];
    await using served = await serve(guarded, {
      authenticate: async (credentials) => {
        seen.push(credentials);
        return { id: 'alice', scopes: new Set(['files:read']), projectIds: [] };
      },
    });

    const { status } = await served.ask({ headers: { Authorization: ['Bearer a', 'Bearer b'] } });

    expect(status).toBe(200);
    expect(seen).toEqual([
      { apiKey: undefined, authorization: 'Bearer a, Bearer b', clientPrincipal: undefined },
    ]);
  });

  it.each([
    [
      'a token',
      { authorization: 'Bearer t' },
      'Bearer realm="crownsafe", error="insufficient_scope", scope="files:read"',
    ],
    ['an API key', { 'x-api-key': 'k' }, undefined],
  ])('tells who comes with %s and without the scope what is missing', async (_, headers, challenge) => {
    await using served = await serve(guarded, {
      authenticate: async () => ({ id: 'alice', scopes: new Set(['files:write']), projectIds: [] }),
    });

    const answer = await served.ask({ headers });

    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBe(challenge);
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'forbidden',
      detail: 'The scope files:read is required',
    });
  });
});
