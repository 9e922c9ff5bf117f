import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { AppError } from '../../../src/lib/core/index.ts';
import {
  anybody,
  authenticated,
  type Endpoint,
  type endpoint,
  scope,
} from '../../../src/lib/http/endpoint.ts';
import { idShape, json, readBody, streaming, text } from '../../../src/lib/http/index.ts';
import type { Caller } from '../../../src/lib/security/index.ts';
import { serve } from './served.ts';

type Handle = Parameters<typeof endpoint>[0]['handle'];

/** A public GET that answers 200 with whatever `handle` gives. */
function declared(handle: Handle, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    name: 'files-get',
    method: 'GET',
    route: 'api/v1/files/{id}',
    summary: 'Show a file',
    access: anybody,
    query: z.record(z.string(), z.string()),
    responses: { 200: undefined },
    handle,
    ...changes,
  } as Endpoint;
}

const caller: Caller = { id: 'key:1', scopes: new Set(['files:read']), projectIds: [] };
const authenticate = async () => caller;

/** A promise that a handler keeps when it is reached. */
function signalOf() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { reached: promise, reach: resolve };
}

describe('an answer', () => {
  it('is JSON with the headers of security, and logged once with what it acted on', async () => {
    await using served = await serve(declared(() => ({ name: 'a' })));

    const { status, headers, text: body } = await served.ask({ path: '/api/v1/files/7f' });

    expect([status, JSON.parse(body)]).toEqual([200, { name: 'a' }]);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-length': '12',
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      'x-correlation-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(served.lines()).toEqual([
      expect.objectContaining({
        message: 'request answered',
        function: 'files-get',
        resource: 'files/7f',
        correlation_id: headers['x-correlation-id'],
        status: 200,
      }),
    ]);
  });

  it('has no body for HEAD, and the length it would have', async () => {
    await using served = await serve(declared(() => text('text/plain', 'hello')));

    const answer = await served.ask({ method: 'HEAD' });

    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers).toMatchObject({ 'content-length': '5', 'content-type': 'text/plain' });
  });

  it('goes to browsers of allowed origins, which may ask before', async () => {
    await using served = await serve(
      declared(() => ({})),
      { corsOrigins: ['https://app.example'] },
    );
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' };

    const preflight = await served.ask({ method: 'OPTIONS', headers });

    expect(preflight).toMatchObject({ status: 204, text: '' });
    expect(preflight.headers).toMatchObject({
      allow: 'GET, OPTIONS',
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'GET, OPTIONS',
    });
  });

  it.each([
    ['an undeclared status', () => json(418, {})],
    ['another shape than declared', () => json(200, { id: 'x' })],
  ])('is held against its declaration outside production: %s', async (_, handle) => {
    const drifted = declared(handle, { responses: { 200: z.strictObject({ id: idShape }) } });
    await using watched = await serve(drifted);
    await using trusted = await serve(drifted, { isProduction: true });

    expect((await watched.ask()).status).toBe(500);
    expect((await trusted.ask()).status).toBeLessThan(500);
  });
});

describe('who may call', () => {
  it.each<[string, Endpoint['access'], boolean, Record<string, string>, number]>([
    ['anybody what is public', anybody, true, {}, 200],
    ['a caller with the scope', scope('files:read'), true, {}, 200],
    ['no caller without the scope', scope('files:write'), true, {}, 403],
    ['any caller what asks for no scope', authenticated, true, {}, 200],
    [
      'a scraper by its token',
      { kind: 'scrape', scope: 'monitoring:read' },
      true,
      { authorization: 'Bearer scraper' },
      200,
    ],
    ['no other scraper in production', { kind: 'scrape', scope: 'monitoring:read' }, true, {}, 403],
    ['any scraper elsewhere', { kind: 'scrape', scope: 'monitoring:read' }, false, {}, 200],
  ])('is %s', async (_, access, isProduction, headers, status) => {
    await using served = await serve(
      declared(() => ({}), { access }),
      { isProduction, authenticate },
    );

    expect((await served.ask({ headers })).status).toBe(status);
  });

  it('is in the line of a refusal, too, and the refusal is noted', async () => {
    await using served = await serve(
      declared(() => ({}), { access: scope('files:write') }),
      { authenticate },
    );

    await served.ask();

    expect(served.refusals).toEqual(['GET /api/v1/files/{id} files:write']);
    expect(served.lines()).toMatchObject([
      { message: 'request refused', user_id: 'key:1', code: 'forbidden' },
    ]);
  });
});

describe('a failure', () => {
  it('is a problem, and shows nothing of itself unless it was meant for the client', async () => {
    const failures = [new AppError('not_found', 'Nothing here'), new Error('password=hunter2')];
    await using served = await serve(
      declared(() => {
        throw failures.shift();
      }),
    );

    const [known, unknown] = [await served.ask(), await served.ask()];

    expect([known.status, JSON.parse(known.text)]).toMatchObject([
      404,
      { code: 'not_found', detail: 'Nothing here' },
    ]);
    expect([unknown.status, JSON.parse(unknown.text)]).toMatchObject([500, { code: 'internal' }]);
    expect(JSON.stringify([unknown, served.lines()])).not.toContain('hunter2');
  });

  it('is a deadline of the client that is no number, or over', async () => {
    const { reached, reach } = signalOf();
    await using served = await serve(
      declared(async () => {
        reach();
        return new Promise(() => {});
      }),
    );

    const malformed = await served.ask({ headers: { 'x-request-timeout': 'soon' } });
    const late = served.ask({ headers: { 'x-request-timeout': '2' } });
    await reached;
    await served.clock.advance(2_000);

    expect([malformed.status, JSON.parse(malformed.text).code]).toEqual([400, 'malformed_request']);
    expect([(await late).status, JSON.parse((await late).text).code]).toEqual([504, 'deadline_exceeded']);
    expect(served.clock.timers).toBe(0);
  });

  it('is a body that breaks off, and a client that has gone before its answer', async () => {
    const { reached, reach } = signalOf();
    await using served = await serve(
      declared(
        async ({ raw }) => {
          reach();
          await readBody(raw, 100);
          return {};
        },
        { method: 'POST' },
      ),
    );

    const sent = served.send({ method: 'POST', headers: { 'content-length': '10' } });
    sent.on('error', () => {});
    sent.write('12345');
    await reached;
    sent.destroy();

    await expect
      .poll(() => served.lines(), { timeout: 5_000 })
      .toMatchObject([{ message: 'the client has gone', status: 499, level: 'info' }]);
  });
});

describe('a stream', () => {
  it('goes out chunk by chunk, and waits for a client that is slow', async () => {
    let read = 0;
    const chunk = Buffer.alloc(2 ** 20, 'x');
    async function* chunks() {
      for (; read < 40; read++) yield chunk;
    }
    await using served = await serve(declared(() => streaming(200, Readable.from(chunks()), {})));

    const sent = served.send();
    const [response] = await new Promise<Parameters<Parameters<typeof sent.on>[1]>>((resolve) => {
      sent.on('response', (...args) => resolve(args));
      sent.end();
    });
    const stream = response as Readable;
    await expect.poll(() => read, { timeout: 5_000 }).toBeGreaterThan(2);
    const readWhileNobodyTook = read;
    let size = 0;
    for await (const part of stream) size += (part as Buffer).length;

    expect(readWhileNobodyTook).toBeLessThan(40);
    expect(size).toBe(40 * 2 ** 20);
    expect(served.lines()).toMatchObject([{ message: 'request answered', status: 200 }]);
  });

  it('that fails before its first byte is a problem', async () => {
    await using served = await serve(
      declared(() => streaming(200, Readable.from(failing(0)), { 'content-type': 'text/plain' })),
    );

    expect(await served.ask()).toMatchObject({ status: 500, broken: false });
  });

  it('that fails midway breaks the connection, and is logged as a failure', async () => {
    await using served = await serve(declared(() => streaming(200, Readable.from(failing(1)), {})));

    const answer = await served.ask();

    expect(answer).toMatchObject({ status: 200, text: 'part', broken: true });
    expect(served.lines()).toMatchObject([{ level: 'error', message: 'request failed', status: 200 }]);
  });

  it('is not started for HEAD', async () => {
    const stream = Readable.from(failing(1));
    await using served = await serve(declared(() => streaming(200, stream, {})));

    expect(await served.ask({ method: 'HEAD' })).toMatchObject({ status: 200, broken: false });
    expect(stream.destroyed).toBe(true);
  });

  it('stops when the client goes', async () => {
    const stream = Readable.from(endless());
    await using served = await serve(declared(() => streaming(200, stream, {})));

    const sent = served.send();
    sent.on('response', (response) => response.once('data', () => sent.destroy()));
    sent.on('error', () => {});
    sent.end();

    await expect.poll(() => served.lines(), { timeout: 5_000 }).toMatchObject([{ status: 499 }]);
    expect(stream.destroyed).toBe(true);
  });
});

async function* failing(after: number) {
  for (let index = 0; index < after; index++) yield Buffer.from('part');
  throw new Error('the blob ended early');
}

async function* endless() {
  for (;;) yield Buffer.alloc(65_536);
}

describe('an exchange', () => {
  it('that no invocation claims is answered with 503 after half a minute', async () => {
    await using served = await serve(
      declared(() => ({})),
      { loseInvocations: true },
    );

    const answer = served.ask();
    await expect.poll(() => served.clock.timers, { timeout: 5_000 }).toBe(1);
    await served.clock.advance(30_000);

    expect(await answer).toMatchObject({
      status: 503,
      text: '',
      headers: {
        'retry-after': '5',
        'cache-control': 'no-store',
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'x-content-type-options': 'nosniff',
      },
    });
  });

  it('that names no invocation is not ours: the host alone is told so', async () => {
    await using served = await serve(declared(() => ({})));

    expect((await served.ask({ headers: { 'x-ms-invocation-id': '' } })).status).toBe(499);
    expect(served.lines()).toEqual([]);
  });
});
