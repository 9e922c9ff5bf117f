import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { anybody, type Endpoint, endpoint, scope } from '../../src/lib/http/endpoint.ts';
import {
  clashesOfEndpoints,
  faultsOfEndpoints,
  faultsOfNames,
  functionsIn,
  isEndpoint,
  routesMeet,
} from './checks/endpoints.ts';
import { listFiles, root } from './reading/project-files.ts';

const declared = (changes: Partial<Endpoint> = {}): Endpoint => ({
  ...endpoint({
    name: 'list-files',
    method: 'GET',
    route: 'api/v1/files',
    summary: 'List files',
    access: anybody,
    responses: { 200: undefined },
    handle: () => undefined,
  }),
  ...changes,
});

/** Imports all function files. They declare and do nothing else, so this has no effect. */
async function importFunctions() {
  const paths = listFiles('src/functions').filter((path) => path.endsWith('.ts'));
  const importOne = async (path: string) => functionsIn((await import(`${root}${path}`)) as object);
  const listPath = 'src/functions/index.ts';
  const others = paths.filter((path) => path !== listPath);
  const declaredByPath = new Map(
    await Promise.all(others.map(async (path) => [path, await importOne(path)] as const)),
  );
  return { listed: await importOne(listPath), declaredByPath };
}

describe('the declaration of an endpoint', () => {
  it('is accepted in its usual form', () => {
    const withParameter = declared({ route: 'api/v1/files/{id}', params: z.object({ id: z.uuid() }) });

    const creating = declared({
      method: 'POST',
      access: scope('files:write'),
      idempotent: true,
      handle: ({ requestKey }) => requestKey,
      responses: { 201: undefined },
    });
    const ignoring = declared({
      method: 'POST',
      idempotent: { ignored: 'why' },
      responses: { 201: undefined },
    });

    expect(
      faultsOfEndpoints([
        ...[declared(), withParameter, creating, ignoring],
        declared({ route: 'api/openapi.json' }),
      ]),
    ).toEqual([]);
  });

  it.each([
    ['a leading slash', { route: '/api/v1/files' }, 'without slash'],
    ['a trailing slash', { route: 'api/v1/files/' }, 'without slash'],
    ['a constraint', { route: 'api/{id:guid}' }, 'parameters as {name}'],
    ['an optional parameter', { route: 'api/{id?}' }, 'parameters as {name}'],
    ['a catch-all parameter', { route: 'api/{*rest}' }, 'parameters as {name}'],
    ['half a segment as parameter', { route: 'api/file-{id}' }, 'parameters as {name}'],
    ['capitals in its route', { route: 'API/v1/files' }, 'lower case'],
    ['a route of the host', { route: 'admin/keys' }, 'the host keeps admin/'],
    ['no summary', { summary: '' }, 'summary'],
    ['no response', { responses: {} }, 'at least one response'],
    ['a problem as response', { responses: { 404: undefined } }, 'answers only'],
    [
      'a creation that may happen twice',
      { method: 'POST', responses: { 201: undefined } },
      'make it idempotent',
    ],
    [
      'an acceptance that may happen twice',
      { method: 'POST', responses: { 202: undefined } },
      'make it idempotent',
    ],
    [
      'an idempotent handler that forgets the key',
      { method: 'POST', idempotent: true },
      'pass requestKey on',
    ],
    ['an idempotent endpoint without callers', { method: 'POST', idempotent: true }, 'needs a scope'],
    ['a body on GET', { body: z.object({}) }, 'GET has no body'],
    ['a parameter without schema', { route: 'api/{id}' }, 'parameters [id], their schema []'],
    [
      'a schema without parameter',
      { params: z.object({ id: z.string() }) },
      'parameters [], their schema [id]',
    ],
  ] as [string, Partial<Endpoint>, string][])('is refused with %s', (_, changes, reason) => {
    const faults = faultsOfEndpoints([declared(changes)]);

    expect(faults).toContainEqual(expect.stringContaining(reason));
  });
});

describe('the routes of two functions', () => {
  it.each([
    ['api/v1/files', 'api/v1/FILES', true],
    ['api/v1/files/{id}', 'api/v1/files/recent', true],
    ['api/v1/files/{id}', 'api/v1/files/{name}', true],
    ['api/{kind}/recent', 'api/files/{id}', true],
    ['api/v1/files/{id}', 'api/v1/files/{id}/content', false],
    ['api/v1/files/{id}', 'api/v1/scans/{id}', false],
    ['api/v1/files', 'api/v1/scans', false],
  ])('%s and %s meet: %s', (a, b, meet) => {
    expect([routesMeet(a, b), routesMeet(b, a)]).toEqual([meet, meet]);
  });

  it('are refused when they meet in different templates, also with different methods', () => {
    const clashes = clashesOfEndpoints([
      declared({ name: 'read', route: 'api/v1/files/{id}' }),
      declared({ name: 'recent', route: 'api/v1/files/recent', method: 'POST' }),
    ]);

    expect(clashes).toEqual([
      expect.stringContaining('read and recent: api/v1/files/{id} and api/v1/files/recent'),
    ]);
  });

  it('may be one template with different methods only', () => {
    const list = declared({ name: 'list' });

    expect(clashesOfEndpoints([list, declared({ name: 'create', method: 'POST' })])).toEqual([]);
    expect(clashesOfEndpoints([list, declared({ name: 'again' })])).toEqual([
      'list and again: both serve GET api/v1/files',
    ]);
  });
});

describe('the name of a function', () => {
  it('is refused when another function has it, whatever its case', () => {
    expect(faultsOfNames([declared({ name: 'list' }), declared({ name: 'List' })])).toEqual([
      'List: another function has this name',
    ]);
  });

  it('is refused in another form than kebab-case', () => {
    const named = ['list-files', 'listFiles', 'list_files', '2-files', ''].map((name) => declared({ name }));

    expect(faultsOfNames(named)).toHaveLength(4);
  });
});

describe('the functions of this app', () => {
  it('are found among exports, alone and in lists', () => {
    const [alone, first, second] = [declared(), declared(), declared()];

    expect(functionsIn({ alone, many: [first, second], limit: 5, work: () => {} })).toEqual([
      alone,
      first,
      second,
    ]);
  });

  it('are declared well and do not stand in one another’s way', async () => {
    const { listed } = await importFunctions();

    const endpoints = listed.filter(isEndpoint);

    expect(faultsOfNames(listed)).toEqual([]);
    expect(faultsOfEndpoints(endpoints)).toEqual([]);
    expect(clashesOfEndpoints(endpoints)).toEqual([]);
    expect(endpoints.length).toBeGreaterThan(10);
    expect(listed.length).toBeGreaterThan(endpoints.length);
  });

  it('are all listed in src/functions/index.ts, each once', async () => {
    const { listed, declaredByPath } = await importFunctions();

    const forgotten = [...declaredByPath].flatMap(([path, functions]) =>
      functions
        .filter((known) => !listed.includes(known))
        .map(({ name }) => `${path}: ${name} is not listed`),
    );

    expect(forgotten).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
    expect([...declaredByPath.values()].flat()).toHaveLength(listed.length);
  });
});
