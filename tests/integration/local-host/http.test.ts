import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureApp, startFixtureApp } from './fixture-app.ts';
import { exchange, open } from './raw-client.ts';

const code = `
import { subscribe } from 'node:diagnostics_channel';
let raw;
subscribe('http.server.request.start', ({ request }) => { raw = request; });
const echo = async (request) => ({ jsonBody: {
  url: request.url, params: request.params, headers: Object.fromEntries(request.headers),
  rawHeaders: raw.headers, rawUrl: raw.url, body: await request.text().catch((error) => 'broken: ' + error.message),
} });
app.http('b-exact', { route: 'things/special', handler: () => ({ body: 'exact' }) });
app.http('A-general', { route: 'things/{*rest}', handler: () => ({ body: 'general' }) });
app.http('echo', { route: 'echo/{name}', methods: ['GET', 'POST', 'PUT'], handler: echo });
app.http('part', { route: 'echo/{name}/{part}', handler: echo });
app.http('size', { methods: ['POST'], handler: async (request) => ({ body: String((await request.arrayBuffer()).byteLength) }) });
app.http('pipe', { methods: ['POST'], handler: (request) => ({ body: request.body }) });
app.http('early', { methods: ['POST'], handler: () => ({ status: 401, body: 'no' }) });
app.http('throws', { handler: () => { throw new Error('out of order'); } });
app.http('silent', { handler: () => undefined });
app.http('halfway', { handler: () => ({ body: new ReadableStream({
  async start(controller) { controller.enqueue(new TextEncoder().encode('half')); },
  async pull() { await new Promise((resolve) => setTimeout(resolve, 50)); throw new Error('lost the rest'); },
}, { highWaterMark: 0 }) }) });
app.http('headers', { handler: () => ({ status: 201, headers: [['x-one', 'a'], ['set-cookie', 'c=1'], ['set-cookie', 'd=2']], cookies: [{ name: 'e', value: '3' }, { name: 'f', value: '4' }], body: 'x' }) });
app.http('drip', { handler: () => ({ body: new ReadableStream({
  async pull(controller) { await new Promise((resolve) => setTimeout(resolve, 20)); controller.enqueue(new TextEncoder().encode('drip')); },
}) }) });
subscribe('http.server.request.start', ({ request, response }) => {
  response.on('close', () => { if (!response.writableFinished) console.log('aborted ' + request.url); });
});
app.http('flood', { handler: (request, context) => {
  const response = responses.get(context.invocationId); let written = 0;
  const chunk = new Uint8Array(65536);
  return { body: new ReadableStream({ async pull(controller) {
    if (response.writableNeedDrain) await new Promise((resolve) => response.once('drain', resolve));
    written += chunk.length; flooded = written;
    if (written > 100 * 1024 * 1024) controller.close(); else controller.enqueue(chunk);
  } }) };
} });
const responses = new Map(); let flooded = 0;
subscribe('http.server.request.start', ({ request, response }) => responses.set(request.headers['x-ms-invocation-id'], response));
app.http('flooded', { handler: () => ({ body: String(flooded) }) });
`;

let app: FixtureApp;
beforeAll(async () => {
  app = await startFixtureApp(code, { env: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1000000' } });
});
afterAll(() => app.stop());

async function echo(path: string, init?: RequestInit) {
  const response = await fetch(app.url + path, init);
  return (await response.json()) as {
    url: string;
    params: Record<string, string>;
    headers: Record<string, string>;
    rawHeaders: Record<string, string>;
    rawUrl: string;
    body: string;
  };
}

const status = async (path: string, init?: RequestInit) => (await fetch(app.url + path, init)).status;

describe('routing', () => {
  it('lets the first function by name win, however general its route', async () => {
    const response = await fetch(`${app.url}/things/special`);

    expect(await response.text()).toBe('general');
  });

  it('answers an unknown path and a wrong method with an empty 404', async () => {
    const unknown = await fetch(`${app.url}/nothing/here`);
    const wrongMethod = await fetch(`${app.url}/echo/x`, { method: 'DELETE' });

    expect([unknown.status, await unknown.text()]).toEqual([404, '']);
    expect([wrongMethod.status, await wrongMethod.text()]).toEqual([404, '']);
  });

  it('answers 204 on the homepage', async () => {
    expect(await status('/')).toBe(204);
  });

  it('matches without regard to case', async () => {
    const { params } = await echo('/ECHO/Anna');

    expect(params).toEqual({ name: 'Anna' });
  });

  it('resolves dot segments before it routes and keeps an encoded slash in its segment', async () => {
    const dots = await exchange(
      app.url,
      'GET /echo/../numbers/%2e%2e/echo/a%2Fb?q=%2e HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    );

    expect(dots).toContain('"rawUrl":"/echo/a%2Fb?q=%2e"');
    expect(dots).toContain('"name":"a%2Fb"');
  });

  it.each([
    ['a host with a space', 'GET /echo/x HTTP/1.1\r\nHost: a b\r\n'],
    ['a host with a path', 'GET /echo/x HTTP/1.1\r\nHost: a/b\r\n'],
    ['two hosts', 'GET /echo/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n'],
    ['no host', 'GET /echo/x HTTP/1.1\r\n'],
    ['a null character', 'GET /echo/%00 HTTP/1.1\r\nHost: a\r\n'],
  ])('refuses %s with 400', async (_, head) => {
    const answer = await exchange(app.url, `${head}Connection: close\r\n\r\n`);

    expect(answer).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe('binding data', () => {
  it('gives the headers and the params of the request', async () => {
    const { params, headers } = await echo('/echo/x/y?q=1', { headers: { 'x-mine': 'yes' } });

    expect(params).toEqual({ name: 'x', part: 'y', q: '1' });
    expect(headers['x-mine']).toBe('yes');
  });

  it('empties the headers for ?headers=x', async () => {
    expect((await echo('/echo/x?headers=x')).headers).toEqual({});
  });

  it('replaces the headers by what ?Headers={...} says', async () => {
    const forged = encodeURIComponent('{"x-ms-client-principal":"forged"}');

    expect((await echo(`/echo/x?Headers=${forged}`)).headers).toEqual({ 'x-ms-client-principal': 'forged' });
  });

  it('loses a param whose name the query spells otherwise', async () => {
    const { params } = await echo('/echo/x?NAME=z');

    expect(params).toEqual({ NAME: 'x' });
  });

  it('takes the top-level scalars of a JSON body with a Content-Length', async () => {
    const body = JSON.stringify({ Headers: '{"a":"forged"}', Name: 1, flag: true, list: [1], object: {} });

    const { params, headers } = await echo('/echo/x', { method: 'POST', body });

    expect(params).toEqual({ Name: 'x', flag: 'True' });
    expect(headers).toEqual({ a: 'forged' });
  });

  it('loses the headers to a JSON body with a key of that name', async () => {
    const { headers } = await echo('/echo/x', { method: 'POST', body: '{"headers":"x"}' });

    expect(headers).toEqual({});
  });

  it('does not look into a chunked body', async () => {
    const body = new Blob(['{"headers":"x"}']).stream();

    const { headers } = await echo('/echo/x', { method: 'POST', body, duplex: 'half' });

    expect(headers['transfer-encoding']).toBeUndefined();
    expect(headers['user-agent']).toBe('node');
  });

  it('leaves the key of ?code= out', async () => {
    expect((await echo('/echo/x?code=secret')).params).toEqual({ name: 'x' });
  });
});

describe('headers towards the worker', () => {
  it('sets an invocation id of its own and strips the one of a client', async () => {
    const { rawHeaders } = await echo('/echo/x', { headers: { 'x-ms-invocation-id': 'forged' } });

    expect(rawHeaders['x-ms-invocation-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('tells the address, the host and the scheme of the client', async () => {
    const { rawHeaders, url } = await echo('/echo/x?q=1', {
      headers: {
        'x-forwarded-for': '203.0.113.9',
        'x-forwarded-host': 'forged',
        'x-forwarded-proto': 'https',
      },
    });

    expect(rawHeaders['x-forwarded-for']).toBe('203.0.113.9, 127.0.0.1');
    expect(rawHeaders['x-forwarded-host']).toBe(new URL(app.url).host);
    expect(rawHeaders['x-forwarded-proto']).toBe('http');
    expect(url).toBe(`${app.url}/echo/x?q=1`);
  });

  it('passes status, headers and cookies of the response on', async () => {
    const response = await fetch(`${app.url}/headers`);

    expect(response.status).toBe(201);
    expect(response.headers.get('x-one')).toBe('a');
    expect(response.headers.getSetCookie()).toEqual(['e=3', 'f=4']);
    expect(response.headers.get('x-ms-invocation-id')).toBeNull();
  });
});

describe('the head of a request', () => {
  const fill = (count: number, bytes: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`x-fill-${index + 100}`, 'x'.repeat(bytes)]),
    );

  it.each([
    ['an address of 8 KiB', `/echo/${'x'.repeat(8_100)}`, {}, 200],
    ['a longer address', `/echo/${'x'.repeat(8_200)}`, {}, 414],
    ['a very long address', `/echo/${'x'.repeat(100_000)}`, {}, 414],
    ['15 KiB of headers', '/echo/x', fill(2, 7_500), 200],
    ['more than 32 KiB of headers', '/echo/x', fill(4, 8_200), 431],
    ['ninety headers', '/echo/x', fill(90, 1), 200],
    ['more than a hundred headers', '/echo/x', fill(101, 1), 431],
  ])('is bounded as by Kestrel: %s', async (_, path, headers, expected) => {
    expect(await status(path, { headers })).toBe(expected);
  });
});

describe('bodies', () => {
  it('streams a chunked body while it is being sent', async () => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const answering = fetch(`${app.url}/pipe`, { method: 'POST', body: readable, duplex: 'half' });
    await writer.write(new TextEncoder().encode('first '));

    const reader = (await answering).body?.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader?.read();
    await writer.write(new TextEncoder().encode('second'));
    await writer.close();
    const second = await reader?.read();

    expect([first?.value, second?.value]).toEqual(['first ', 'second']);
  });

  it('reads a body with a Content-Length as a whole before the function runs', async () => {
    const socket = open(app.url);
    socket.write(
      'POST /echo/waits HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\nConnection: close\r\n\r\nfour',
    );
    await sleep(50);
    const before = app.lines.length;
    socket.write('more');
    const [answer] = await once(socket, 'data');

    expect(app.lines.slice(before)[0]?.message).toContain("Executing 'Functions.echo'");
    expect(String(answer)).toContain('fourmore');
  });

  it('refuses more than the limit with 413, told or chunked', async () => {
    const tooMuch = new Uint8Array(1_000_001);

    const told = await status('/size', { method: 'POST', body: tooMuch });
    const chunked = await status('/size', {
      method: 'POST',
      body: new Blob([tooMuch]).stream(),
      duplex: 'half',
    });
    const allowed = await status('/size', { method: 'POST', body: tooMuch.slice(1) });

    expect([told, chunked, allowed]).toEqual([413, 413, 200]);
  });

  it('lets the function see that a chunked body was cut off', async () => {
    const socket = open(app.url);
    socket.write('POST /pipe?cut HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    await once(socket, 'data');

    socket.destroy();

    await app.line('aborted /pipe?cut');
  });

  it('does not run the function for a body that is shorter than it says', async () => {
    const runs = () =>
      app.lines.filter(({ message }) => message.includes("Executing 'Functions.size'")).length;
    const before = runs();
    const socket = open(app.url);
    socket.write('POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf');
    await once(socket, 'connect');

    socket.end();
    await once(socket.resume(), 'close');

    expect(await status('/size', { method: 'POST', body: 'x' })).toBe(200);
    expect(runs()).toBe(before + 1);
  });

  it('passes an answer on that comes before the body was read', async () => {
    const body = new Blob([new Uint8Array(900_000)]).stream();

    const response = await fetch(`${app.url}/early`, { method: 'POST', body, duplex: 'half' });

    expect([response.status, await response.text()]).toEqual([401, 'no']);
  });

  it('closes the connection of a client that goes on sending after its answer', async () => {
    const socket = open(app.url);
    socket.write('POST /early HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    const [answer] = await once(socket, 'data');

    await once(socket.resume(), 'close');

    expect(String(answer)).toContain('401');
  });
});

describe('responses', () => {
  it('holds the worker back when the client reads slowly', async () => {
    const response = await fetch(`${app.url}/flood`);
    await sleep(200);

    const produced = Number(await (await fetch(`${app.url}/flooded`)).text());
    await response.body?.cancel();

    expect(produced).toBeGreaterThan(0);
    expect(produced).toBeLessThan(30 * 1024 * 1024);
  });

  it('ends the request in the worker when the client goes away', async () => {
    const response = await fetch(`${app.url}/drip`);

    await response.body?.cancel();

    await app.line('aborted /drip');
  });

  it('breaks the connection when the worker breaks a response', async () => {
    const response = await fetch(`${app.url}/halfway`);

    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it.each([
    ['throws', 'out of order'],
    ['silent', 'returned nothing'],
  ])('answers 500 and says that Azure would hang when a function %s', async (name, reason) => {
    expect(await status(`/${name}`)).toBe(500);

    const { level, message } = await app.line(`'Functions.${name}' sent no complete response`);
    expect(level).toBe('error');
    expect(message).toContain(reason);
    expect(message).toContain('would hang for 240 s');
  });
});

describe('strict', () => {
  it('lets the client of a failed function wait, as Azure does', async () => {
    const strict = await startFixtureApp(
      `app.http('throws', { handler: () => { throw new Error('no'); } });`,
      {
        strict: true,
      },
    );
    const patience = AbortSignal.timeout(400);

    const waiting = fetch(`${strict.url}/throws`, { signal: patience });

    await strict.line("Executed 'Functions.throws' (Failed");
    await expect(waiting).rejects.toThrow('timeout');
    await strict.stop();
  });
});
