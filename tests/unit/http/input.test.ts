import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { anybody, endpoint } from '../../../src/lib/http/endpoint.ts';
import { readInput } from '../../../src/lib/http/input.ts';

const declared = endpoint({
  name: 'things-get',
  method: 'POST',
  route: 'api/v1/Things/{id}/parts/{part}',
  summary: 'test',
  access: anybody,
  params: z.object({ id: z.string().regex(/^\d+$/), part: z.string() }),
  query: z.strictObject({ limit: z.coerce.number().optional() }),
  body: z.strictObject({ name: z.string() }).optional(),
  responses: { 200: undefined },
  handle: () => ({}),
});

function request(url: string, body = '', contentType = 'application/json'): IncomingMessage {
  const stream = Readable.from(body === '' ? [] : [Buffer.from(body)]);
  return Object.assign(stream, {
    url,
    headers: { 'content-type': contentType },
  }) as unknown as IncomingMessage;
}

describe('reading a request', () => {
  it('takes parameters from the path on the wire, decoded once', async () => {
    const input = await readInput(
      declared,
      request('/api/v1/things/7/parts/a%252F%20b/?limit=3', '{"name":"x"}'),
    );

    expect(input).toEqual({ params: { id: '7', part: 'a%2F b' }, query: { limit: 3 }, body: { name: 'x' } });
  });

  it('takes an encoded slash for part of a parameter', async () => {
    const input = await readInput(declared, request('/api/v1/things/7/parts/a%2Fb'));

    expect(input.params).toEqual({ id: '7', part: 'a/b' });
  });

  it('answers a parameter that is not well formed with 404', async () => {
    await expect(readInput(declared, request('/api/v1/things/x/parts/a'))).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(readInput(declared, request('/api/v1/things/7/parts/%E0%A4'))).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('refuses unknown and repeated query parameters by their names', async () => {
    await expect(readInput(declared, request('/api/v1/things/7/parts/a?a=1&b=2'))).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [
        { path: 'a', code: 'unknown' },
        { path: 'b', code: 'unknown' },
      ],
    });
    await expect(
      readInput(declared, request('/api/v1/things/7/parts/a?limit=1&limit=2')),
    ).rejects.toMatchObject({
      errors: [{ path: 'limit', code: 'repeated' }],
    });
    await expect(readInput(declared, request('/api/v1/things/7/parts/a?__proto__=1'))).rejects.toMatchObject({
      errors: [{ path: '__proto__', code: 'unknown' }],
    });
  });

  it('says of each field what is wrong', async () => {
    await expect(readInput(declared, request('/api/v1/things/7/parts/a', '{}'))).rejects.toMatchObject({
      errors: [{ path: 'name', message: 'is required', code: 'required' }],
    });
  });

  it('lists a hundred refused fields at most', async () => {
    const query = Array.from({ length: 500 }, (_, index) => `p${index}=1`).join('&');

    const refused = await readInput(declared, request(`/api/v1/things/7/parts/a?${query}`)).catch(
      (error) => error,
    );

    expect(refused.errors).toHaveLength(100);
  });

  it('refuses a body by its shape before it makes anything of it', async () => {
    const deep = `{"name":${'['.repeat(40)}${']'.repeat(40)}}`;

    await expect(readInput(declared, request('/api/v1/things/7/parts/a', deep))).rejects.toMatchObject({
      code: 'malformed_body',
      message: 'The body has more than 32 levels',
    });
  });

  it('lets an optional body be empty, of any type', async () => {
    const input = await readInput(declared, request('/api/v1/things/7/parts/a', '', 'text/plain'));

    expect(input.body).toBeUndefined();
  });
});
