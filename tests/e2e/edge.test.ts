import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { describe, expect, inject, it } from 'vitest';
import { endpoints } from '../../src/functions/index.ts';
import { adminApi, apiWith, bodyOf, expectProblem, json, newCaller } from '../support/api.ts';
import { rawRequest } from '../support/raw-request.ts';
import { uploaded } from '../support/uploads.ts';

const times = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index));

/** The status line of the answer to a request that no client library would send. */
const statusLineOf = async (text: string) => (await rawRequest(text)).split('\r\n')[0] ?? '';

describe('every answer', () => {
  it('carries the correlation id of the client, and the security headers', async () => {
    const id = `test-${randomUUID()}`;

    const response = await apiWith()('/health', { headers: { 'x-correlation-id': id } });

    expect(response.headers.get('x-correlation-id')).toBe(id);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': expect.stringContaining('max-age='),
      'x-content-type-options': 'nosniff',
    });
  });

  it.each<[string, string, RequestInit, number]>([
    ['a success', '/health', {}, 200],
    ['a refusal', '/api/v1/files', {}, 401],
    ['a not found of ours', `/api/v1/files/${randomUUID()}`, { headers: { 'x-api-key': 'admin' } }, 404],
    ['a preflight', '/api/v1/files', { method: 'OPTIONS' }, 204],
    ['HEAD', '/health', { method: 'HEAD' }, 200],
  ])('has all security headers and names no server: %s', async (_, path, init, status) => {
    const isAdmin = init.headers !== undefined;

    const response = await (isAdmin ? adminApi() : apiWith())(path, isAdmin ? {} : init);

    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
    });
    expect(response.headers.has('server')).toBe(false);
    expect(response.headers.has('x-powered-by')).toBe(false);
  });

  it('that says nothing changed has them too', async () => {
    const api = await newCaller('files:write', 'files:read');
    const { id } = await uploaded(api);
    const path = `/api/v1/files/${id}/content`;
    const etag = (await api(path)).headers.get('etag') ?? '';

    const response = await api(path, { headers: { 'if-none-match': etag } });

    expect(response.status).toBe(304);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cross-origin-resource-policy': 'same-origin',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
    });
  });

  it('makes a correlation id in place of one that is not well formed, and takes it from traceparent', async () => {
    const trace = 'a'.repeat(32);

    const malformed = await apiWith()('/health', { headers: { 'x-correlation-id': 'x"}{' } });
    const traced = await apiWith()('/health', {
      headers: { traceparent: `00-${trace}-${'b'.repeat(16)}-01` },
    });

    expect(malformed.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(traced.headers.get('x-correlation-id')).toBe(trace);
  });

  it('is empty and 404 for unknown routes and wrong methods', async () => {
    const responses = await Promise.all([
      adminApi()('/api/v1/nothing'),
      adminApi()('/api/v1/sas'),
      adminApi()('/api/v1/files', { method: 'POST' }),
    ]);

    for (const response of responses) expect([response.status, await response.text()]).toEqual([404, '']);
  });

  it('answers OPTIONS of every template without a credential, for all its methods', async () => {
    const templates = [...new Set(endpoints.map(({ route }) => route))];

    for (const route of templates) {
      const response = await apiWith()(`/${route.replaceAll(/\{\w+\}/g, randomUUID())}`, {
        method: 'OPTIONS',
      });

      const allowed = response.headers.get('allow')?.split(', ') ?? [];
      const methods = endpoints
        .filter((other) => other.route === route)
        .map(({ method }) => method as string);
      expect([route, response.status]).toEqual([route, 204]);
      expect(allowed).toEqual(expect.arrayContaining([...methods, 'OPTIONS']));
      expect(allowed.includes('HEAD')).toBe(methods.includes('GET'));
    }
  });
});

describe('garbage', () => {
  it.each([
    ['no JSON', '{"file_id":', 'application/json', 400, 'malformed_body'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'application/json', 400, 'malformed_body'],
    ['an array', '[]', 'application/json', 422, 'validation_failed'],
    ['null', 'null', 'application/json', 422, 'validation_failed'],
    ['a prototype', '{"__proto__":{"file_id":"x"}}', 'application/json', 422, 'validation_failed'],
    ['nothing', '', 'application/json', 422, 'validation_failed'],
    ['another type', 'file_id=1', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    ['a deep nesting', '['.repeat(100_000), 'application/json', 400, 'malformed_body'],
    [
      'JSON that is too deep',
      `${'['.repeat(33)}${']'.repeat(33)}`,
      'application/json',
      400,
      'malformed_body',
    ],
    ['a hundred thousand values', `[${'0,'.repeat(1e5)}0]`, 'application/json', 400, 'malformed_body'],
    ['more than a mebibyte', `"${'x'.repeat(2 ** 20)}"`, 'application/json', 413, 'body_too_large'],
    [
      'headers in the body',
      '{"headers":{"no valid name":"x"}}',
      'application/json',
      422,
      'validation_failed',
    ],
  ])('as a JSON body gets a problem: %s', async (_what, body, contentType, status, code) => {
    const response = await adminApi()('/api/v1/sas', {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });

    await expectProblem(response, status, code);
  });

  it.each([
    ['no boundary', 'multipart/form-data', 'x', 400, 'malformed_body'],
    [
      'no end',
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc',
      400,
      'malformed_body',
    ],
    ['no parts', 'multipart/form-data; boundary=x', '--x--\r\n', 422, 'file_part_required'],
    ['no form at all', 'multipart/form-data; boundary=x', 'garbage', 400, 'malformed_body'],
    ['text', 'text/plain', 'abc', 422, 'name_required'],
  ])('as an upload gets a problem: %s', async (_what, contentType, body, status, code) => {
    const response = await adminApi()('/api/v1/uploads', {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });

    await expectProblem(response, status, code);
  });

  it.each([
    'headers=x',
    'Headers=%7B%22x-api-key%22%3A%22forged%22%7D',
    `Headers=${encodeURIComponent('{"no valid name":"x"}')}`,
    `Headers=${encodeURIComponent('{"x-ms-client-principal":"eyJ9"}')}`,
    'Query=x',
    'ID=x',
    'req=x',
    'httpTrigger=x',
  ])('in the query never changes who is calling: ?%s', async (query) => {
    const caller = await newCaller('files:write', 'files:read');
    const { id } = await uploaded(caller);
    const forged = `Headers=${encodeURIComponent(JSON.stringify({ 'x-api-key': inject('adminKey') }))}`;

    await expectProblem(await caller(`/api/v1/files/${id}?${query}`), 422, 'validation_failed');
    await expectProblem(await apiWith()(`/api/v1/files/${id}?${query}`), 401, 'unauthorized');
    await expectProblem(await apiWith()(`/api/v1/files/${id}?${forged}`), 401, 'unauthorized');
  });

  it('in the body never changes who is calling', async () => {
    const body = json({ headers: { 'x-api-key': inject('adminKey') }, file_id: randomUUID() });

    await expectProblem(await apiWith()('/api/v1/sas', body), 401, 'unauthorized');
  });

  it.each(
    endpoints.filter(({ access }) => access.kind === 'scope').map(({ method, route }) => [method, route]),
  )('at %s /%s gets a problem', async (method, route) => {
    const path = `/${route.replaceAll(/\{\w+\}/g, '%7f..%2f%27')}?x=%00`;
    const body =
      method === 'GET' ? {} : { body: '\0garbage', headers: { 'content-type': 'application/json' } };

    const response = await adminApi()(path, { method, ...body });

    const problem = await bodyOf<{ status: number }>(response);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(problem.status).toBe(response.status);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  });

  it('on the wire is answered too, and the app lives on', async () => {
    const host = new URL(inject('baseUrl')).host;

    const statusLines = await Promise.all([
      statusLineOf('GARBAGE\r\n\r\n'),
      statusLineOf('GET /api/v1/files HTTP/1.1\r\nhost: exa mple\r\n\r\n'),
      statusLineOf(`GET /../../etc/passwd HTTP/1.1\r\nhost: ${host}\r\n\r\n`),
      statusLineOf(`GET /api/v1/files HTTP/1.1\r\nhost: ${host}\r\nx-ms-invocation-id: forged\r\n\r\n`),
    ]);

    expect(statusLines.map((line) => line.split(' ')[1])).toEqual(['400', '400', '404', '401']);
    expect((await apiWith()('/health')).status).toBe(200);
  });

  it('that never ends as a body is cut off when the time is over', async () => {
    const slow = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('{"file_id":')),
    });

    const response = await adminApi()('/api/v1/sas', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-timeout': '0.5' },
      body: slow,
      duplex: 'half',
    } as RequestInit);

    await expectProblem(response, 408, 'request_timeout');
  });

  it.each<[string, Record<string, string>, number]>([
    ['up to what the platform takes', { 'x-a': 'x'.repeat(8_000), 'x-b': 'x'.repeat(8_000) }, 200],
    ['of more than 16 KiB', { 'x-a': 'x'.repeat(10_000), 'x-b': 'x'.repeat(10_000) }, 200],
    ['of a key', { 'x-api-key': 'k'.repeat(20_000) }, 401],
  ])(
    'in headers reaches the app, which would else never end the invocation: %s',
    async (_, headers, status) => {
      const { hostname, port } = new URL(inject('baseUrl'));
      const key = { 'x-api-key': inject('adminKey'), ...headers };

      const answered = new Promise<number | undefined>((resolve, reject) => {
        const options = { hostname, port, path: '/api/v1/files', headers: key, timeout: 10_000 };
        http
          .get(options, (response) => resolve(response.resume().statusCode))
          .once('timeout', () => reject(new Error('no answer')))
          .once('error', reject);
      });

      expect(await answered).toBe(status);
    },
  );

  it.each([
    ['as a cursor', `cursor=${'x'.repeat(4_001)}`, 422],
    ['as another cursor', `cursor=${'x'.repeat(4_000)}`, 422],
    ['as an address that is too long for the platform', `cursor=${'x'.repeat(9_000)}`, 414],
    ['as many parameters', times(500, (index) => `p${index}=`).join('&'), 422],
  ])('%s is refused', async (_, query, status) => {
    const response = await adminApi()(`/api/v1/files?${query}`);

    expect(response.status).toBe(status);
    expect((await response.text()).length).toBeLessThan(20_000);
  });

  it.each(['1e3', '0x10', 'Infinity', '-1', '0', ' ', '1'.repeat(30)])(
    'as x-request-timeout is refused: %s',
    async (seconds) => {
      const response = await apiWith()('/health', { headers: { 'x-request-timeout': seconds } });

      await expectProblem(response, 400, 'malformed_request');
    },
  );

  it('as a correlation id that is too long is not repeated', async () => {
    const response = await apiWith()('/health', { headers: { 'x-correlation-id': 'x'.repeat(129) } });

    expect(response.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('as x-request-timeout gets a problem, and a short one ends the request in time', async () => {
    const bad = await adminApi()('/api/v1/files', { headers: { 'x-request-timeout': 'soon' } });
    const short = await adminApi()('/api/v1/files', { headers: { 'x-request-timeout': '0.000001' } });

    await expectProblem(bad, 400, 'malformed_request');
    await expectProblem(short, 504, 'deadline_exceeded');
  });
});
