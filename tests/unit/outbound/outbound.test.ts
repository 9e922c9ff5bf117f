import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startDeadline, systemClock } from '../../../src/lib/core/index.ts';
import type { Answer } from '../../support/misbehaving-server.ts';
import { failureOf, openServer, signal } from './set-up.ts';

const say =
  (status: number, body: string | Buffer = '', headers: Record<string, string> = {}): Answer =>
  (request, response) => {
    request.resume().on('end', () => response.writeHead(status, headers).end(body));
  };

const inTurn =
  (...answers: readonly Answer[]): Answer =>
  (request, response, number) =>
    answers[Math.min(number, answers.length) - 1]?.(request, response, number);

/** Sends raw bytes and ends the connection. */
const raw =
  (bytes: string): Answer =>
  (request) => {
    request.socket.end(bytes);
  };

const silent: Answer = () => {};

const endless: Answer = (request, response) => {
  const chunk = Buffer.alloc(65_536);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  request.resume();
  response.on('drain', more).writeHead(200);
  more();
};

describe('an outgoing call', () => {
  it('goes under the policy of its client, where that has one', async () => {
    await using service = await openServer(say(503), { dependency: 'jwks', settings: { retries: 0 } });

    const failure = await failureOf(service.outbound.fetch(service.url, { signal }));

    expect(failure).toMatchObject({
      code: 'unavailable',
      message: 'The issuer of tokens is not available at the moment',
    });
    expect(service.events).toMatchObject([{ type: 'give_up', dependency: 'jwks' }]);
  });

  it('carries method, headers and body, the correlation id, and the host of its URL', async () => {
    const bodies: string[] = [];
    await using service = await openServer(
      (request, response) => {
        request.setEncoding('utf8').on('data', (text: string) => bodies.push(text));
        request.on('end', () => response.writeHead(201, { 'x-a': 'b' }).end('done'));
      },
      { propagate: () => ({ 'x-correlation-id': 'id-12345678' }) },
    );

    const answer = await service.outbound.fetch(service.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Host: 'elsewhere.example',
        'X-Correlation-Id': 'forged',
      },
      body: '{"a":1}',
      signal,
    });

    expect({ ...answer, body: answer.body.toString() }).toMatchObject({
      status: 201,
      headers: { 'x-a': 'b' },
      body: 'done',
    });
    expect(bodies.join('')).toBe('{"a":1}');
    expect(service.server.requests).toEqual([
      {
        method: 'POST',
        url: '/path?token=geheim',
        headers: {
          host: new URL(service.url).host,
          connection: 'keep-alive',
          'content-type': 'application/json',
          'content-length': '7',
          'accept-encoding': 'identity',
          'x-correlation-id': 'id-12345678',
        },
      },
    ]);
  });

  it.each([200, 204, 301, 302, 307, 308, 400, 404, 410, 422])('gives back the answer %i', async (status) => {
    await using service = await openServer(say(status, '', { location: 'https://127.0.0.1/' }));

    const answer = await service.outbound.fetch(service.url, { signal });

    expect(answer.status).toBe(status);
    expect(service.server.requests).toHaveLength(1);
    expect(service.events.filter(({ type }) => type !== 'give_up')).toEqual([]);
  });

  it('follows no redirect, to this machine or elsewhere', async () => {
    await using target = await openServer(say(200, 'the inside'));
    await using service = await openServer(say(302, '', { location: target.url }));

    const answer = await service.outbound.fetch(service.url, { signal });

    expect(answer).toMatchObject({ status: 302, headers: { location: target.url } });
    expect(target.server.requests).toEqual([]);
  });

  it('does not unpack what comes compressed', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 2 ** 20));
    await using service = await openServer(say(200, bomb, { 'content-encoding': 'gzip' }));

    const answer = await service.outbound.fetch(service.url, { signal });

    expect(answer.body.equals(bomb)).toBe(true);
    expect(bomb.length).toBeLessThan(2 ** 20);
  });

  it('is not made with a body beyond 1 MiB', async () => {
    await using service = await openServer(say(200));
    const call = (sizeBytes: number) =>
      service.outbound.fetch(service.url, { method: 'PUT', body: Buffer.alloc(sizeBytes), signal });

    const failure = await failureOf(call(2 ** 20 + 1));
    const { status } = await call(2 ** 20);

    expect(failure).toMatchObject({ name: 'OutboundError', code: 'request_too_large' });
    expect(status).toBe(200);
    expect(service.server.requests).toHaveLength(1);
  });

  it('is refused before anything is sent when its URL may not be called', async () => {
    await using service = await openServer(say(200));

    const failure = await failureOf(service.outbound.fetch('https://evil.example/?token=geheim', { signal }));

    expect(failure).toMatchObject({
      name: 'OutboundError',
      code: 'destination_refused',
      message: 'The address leads to a host that is not on the list of allowed ones',
    });
    expect(service.outbound.checkDestination('https://evil.example/')).toMatch(/not on the list/);
    expect(service.outbound.checkDestination(service.url)).toBeUndefined();
    expect(service.resilience.states().some(({ name }) => name.startsWith('webhook:'))).toBe(false);
  });
});

describe('a call that fails', () => {
  it('is tried again after the wait that was asked for', async () => {
    await using service = await openServer(inTurn(say(503, '', { 'retry-after': '0' }), say(200, 'done')));

    const answer = await service.outbound.fetch(service.url, { method: 'POST', signal });

    expect(answer.body.toString()).toBe('done');
    expect(service.events).toMatchObject([
      { type: 'retry', dependency: `webhook:${new URL(service.url).host}`, operation: 'POST', delayMs: 0 },
    ]);
  });

  it('gives up at once when the host asks for more patience than there is', async () => {
    await using service = await openServer(say(429, '', { 'retry-after': '60' }));
    using deadline = startDeadline(systemClock, 10_000);

    const failure = await failureOf(service.outbound.fetch(service.url, { signal: deadline.signal }));

    expect(failure).toMatchObject({ code: 'unavailable', retryAfterSeconds: 60, cause: { statusCode: 429 } });
    expect(service.server.requests).toHaveLength(1);
  });

  const lost: readonly (readonly [string, Answer])[] = [
    ['answers 500', say(500)],
    ['answers 504', say(504)],
    ['ends the connection', raw('')],
    ['cuts the answer', raw('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')],
    ['cuts a chunk', raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nhalf')],
    ['says nothing', silent],
    [
      'stops in the middle',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('half');
      },
    ],
  ];

  it.each(lost)('is tried four times when the host %s, and leaves nothing behind', async (_, answer) => {
    await using service = await openServer(answer);

    const failure = await failureOf(service.outbound.fetch(service.url, { timeoutMs: 100, signal }));

    expect(failure).toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect(service.server.requests).toHaveLength(4);
    await expect.poll(() => service.server.pending, { timeout: 5_000 }).toBe(0);
  });

  it.each(lost)('is not repeated when the host %s but may have done it', async (_, answer) => {
    await using service = await openServer(answer);

    const failure = await failureOf(
      service.outbound.fetch(service.url, { method: 'POST', timeoutMs: 100, signal }),
    );

    expect(failure).toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect(service.server.requests).toHaveLength(1);
  });

  it.each([
    ['GET', {}, 4],
    ['HEAD', {}, 4],
    ['PUT', {}, 4],
    ['DELETE', {}, 4],
    ['POST', {}, 1],
    ['PATCH', {}, 1],
    ['POST', { headers: { 'Idempotency-Key': 'a' } }, 4],
    ['POST', { repeatable: true }, 4],
    ['PUT', { repeatable: false }, 1],
  ] as const)('is as %s with %j tried %i times', async (method, options, times) => {
    await using service = await openServer(say(500));

    const failure = await failureOf(service.outbound.fetch(service.url, { method, ...options, signal }));

    expect(failure).toMatchObject({ name: 'AppError', code: 'unavailable', cause: { statusCode: 500 } });
    expect(service.server.requests).toHaveLength(times);
  });

  it.each([
    ['answers 501', say(501), 'answer_failed'],
    ['answers garbage', raw('\x16\x03\x01 secret of the host\r\n\r\n'), 'answer_malformed'],
    [
      'answers too many headers',
      raw(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`),
      'UND_ERR_HEADERS_OVERFLOW',
    ],
    ['answers too much', say(200, Buffer.alloc(2 ** 20 + 1)), 'answer_too_large'],
    ['never stops answering', endless, 'answer_too_large'],
  ] as const)('is not tried again when the host %s', async (_, answer, code) => {
    await using service = await openServer(answer);

    const failure = await failureOf(service.outbound.fetch(service.url, { signal }));

    expect(failure).toMatchObject({ name: 'AppError', code: 'upstream', cause: { code } });
    expect(service.server.requests).toHaveLength(1);
    await expect.poll(() => service.server.pending, { timeout: 5_000 }).toBe(0);
  });

  it('reads as much as its caller allows, to the byte', async () => {
    await using service = await openServer(say(200, 'four'));
    const read = (maxAnswerBytes: number) => service.outbound.fetch(service.url, { maxAnswerBytes, signal });

    const answer = await read(4);
    const failure = await failureOf(read(3));

    expect(answer.body.toString()).toBe('four');
    expect(failure).toMatchObject({
      code: 'upstream',
      cause: { message: 'The answer is larger than 3 bytes' },
    });
  });

  it('counts an answer that is too large for a sign of life, and garbage for none', async () => {
    await using large = await openServer(say(200, 'four'), { settings: { breakerThreshold: 1 } });
    await using broken = await openServer(raw('garbage\r\n\r\n'), { settings: { breakerThreshold: 1 } });
    const stateOf = ({ resilience }: typeof large) =>
      resilience.states().find(({ name }) => name.startsWith('webhook:'))?.state;

    await failureOf(large.outbound.fetch(large.url, { maxAnswerBytes: 1, signal }));
    await failureOf(broken.outbound.fetch(broken.url, { signal }));

    expect([stateOf(large), stateOf(broken)]).toEqual(['closed', 'open']);
  });

  it('ends at once with the reason of the abort, and its connection with it', async () => {
    await using service = await openServer(silent);
    const abort = new AbortController();
    const reason = new Error('enough');
    const failure = failureOf(service.outbound.fetch(service.url, { signal: abort.signal }));
    await expect.poll(() => service.server.pending, { timeout: 5_000 }).toBe(1);

    abort.abort(reason);

    expect(await failure).toBe(reason);
    await expect.poll(() => service.server.pending, { timeout: 5_000 }).toBe(0);
  });

  it('is no failure of the host when the request cannot be sent', async () => {
    await using service = await openServer(say(200));

    const failure = await failureOf(
      service.outbound.fetch(service.url, { headers: { a: 'line\nbreak' }, signal }),
    );

    expect(failure).toMatchObject({ code: 'UND_ERR_INVALID_ARG' });
    expect(service.events).toEqual([]);
  });

  it.each([
    ['503', say(503, 'secret of the host')],
    ['garbage', raw('secret of the host\r\n\r\n')],
    ['too much', say(200, 'secret of the host'.repeat(2 ** 17))],
    ['half', raw('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsecret of the host')],
    ['nothing', raw('')],
  ])('tells neither its query nor what was answered, which is %s', async (_, answer) => {
    await using service = await openServer(answer);

    const failure = await failureOf(service.outbound.fetch(service.url, { signal }));

    const told = inspect([failure, service.events], { depth: 10, showHidden: true });
    expect(told).toContain('webhook:127.0.0.1');
    expect(told).not.toMatch(/geheim|secret of the host/);
  });
});
