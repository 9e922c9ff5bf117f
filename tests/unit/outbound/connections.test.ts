import { execFile } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { connectionsPerHost } from '../../../src/lib/outbound/index.ts';
import { type Answer, startMisbehavingServer } from '../../support/misbehaving-server.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';
import { failureOf, localName, openOutbound, openServer, scriptedLookup, signal } from './set-up.ts';

const done: Answer = (request, response) => {
  request.resume().on('end', () => response.end('done'));
};

/** Leaves requests unanswered until they are let go. */
function holding() {
  const held: ServerResponse[] = [];
  const sockets = new Set<Socket>();
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    sockets.add(request.socket);
    held.push(response);
  };
  return { answer, held, sockets, letGo: () => held.splice(0).map((response) => response.end('done')) };
}

const calls = <T>(count: number, call: () => Promise<T>) => Array.from({ length: count }, call);

describe('calls that start together', () => {
  it('are all under way at once to one host', async () => {
    const { answer, held, letGo } = holding();
    await using service = await openServer(answer);

    const answers = calls(40, () => service.outbound.fetch(service.url, { signal }));
    await expect.poll(() => held.length, { timeout: 5_000 }).toBe(40);
    letGo();

    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(40).fill(200));
  });

  it('use a bounded number of connections to one host, and the rest wait for them', async () => {
    const { answer, held, sockets, letGo } = holding();
    await using service = await openServer(answer);

    const answers = calls(connectionsPerHost + 20, () => service.outbound.fetch(service.url, { signal }));
    await expect.poll(() => held.length, { timeout: 5_000 }).toBe(connectionsPerHost);
    letGo();
    await expect.poll(() => held.length, { timeout: 5_000 }).toBe(20);
    letGo();

    expect(await Promise.all(answers)).toHaveLength(connectionsPerHost + 20);
    expect(sockets.size).toBe(connectionsPerHost);
  });

  it('do not wait for a host that is slow', async () => {
    const { answer, held, letGo } = holding();
    await using slow = await startMisbehavingServer(answer);
    await using others = new AsyncDisposableStack();
    const servers = await Promise.all(calls(30, () => startMisbehavingServer(done)));
    for (const server of servers) others.use(server);
    const origins = [slow, ...servers].map(({ origin }) => origin);
    await using client = openOutbound({ allowedHosts: origins.map((origin) => new URL(origin).host) });

    const waiting = calls(connectionsPerHost, () => client.outbound.fetch(slow.origin, { signal }));
    await expect.poll(() => held.length, { timeout: 5_000 }).toBe(connectionsPerHost);
    const answers = await Promise.all(servers.map(({ origin }) => client.outbound.fetch(origin, { signal })));

    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(held).toHaveLength(connectionsPerHost);
    letGo();
    await Promise.all(waiting);
  });
});

describe('a connection', () => {
  it('serves one call after the other, failures among them', async () => {
    const sockets = new Set<Socket>();
    await using service = await openServer((request, response, number) => {
      sockets.add(request.socket);
      request.resume().on('end', () => {
        response.statusCode = number % 2 === 0 ? 503 : 404;
        // More than comes in one piece, so that whoever does not wait for its end breaks the connection.
        response.end('x'.repeat(120_000));
      });
    });

    for (let i = 0; i < 10; i++) await service.outbound.fetch(service.url, { signal });

    expect(service.server.requests.length).toBeGreaterThan(15);
    // A call that begins the moment another one ends may find its connection not free yet.
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  it('is closed with the client, after the calls under way', async () => {
    const { answer, held, sockets, letGo } = holding();
    await using service = await openServer(answer);
    const call = service.outbound.fetch(service.url, { signal });
    await expect.poll(() => held.length, { timeout: 5_000 }).toBe(1);

    const closed = service.outbound.close();
    letGo();

    expect((await call).body.toString()).toBe('done');
    await closed;
    await expect.poll(() => [...sockets].every(({ closed: gone }) => gone), { timeout: 5_000 }).toBe(true);
    expect(await failureOf(service.outbound.fetch(service.url, { signal }))).toMatchObject({
      code: 'UND_ERR_DESTROYED',
    });
  });

  it('is not opened only to be closed', async () => {
    await using service = await openServer(done);

    await service.outbound.close();

    expect(service.server.requests).toEqual([]);
  });

  it('holds up no process, and leaves no timer', async () => {
    await using server = await startMisbehavingServer((request, response) => {
      if (request.url === '/') response.end('done');
    });
    const room = new URL('../../../src/lib/', import.meta.url);
    const script = `
      import { systemClock } from '${room}core/index.ts';
      import { createOutbound } from '${room}outbound/index.ts';
      import { createResilience } from '${room}resilience/index.ts';
      const resilience = createResilience({ clock: systemClock });
      const allowedHosts = ['${new URL(server.origin).host}'];
      const outbound = createOutbound({ resilience, allowedHosts, allowLoopback: true, propagate: () => ({}) });
      const { signal } = new AbortController();
      const first = await outbound.fetch('${server.origin}/', { signal });
      const late = { signal, method: 'POST', timeoutMs: 50 };
      const failure = await outbound.fetch('${server.origin}/silent', late).catch((error) => error);
      await outbound.close();
      const left = process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|Req/.test(kind));
      console.log(first.status, failure.code, JSON.stringify(left));
    `;

    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      {
        timeout: 10_000,
      },
    );

    expect(stdout).toBe('200 unavailable []\n');
  });
});

describe('a name', () => {
  it.each([['10.0.0.1'], ['169.254.169.254'], ['168.63.129.16'], ['::ffff:127.0.0.1']])(
    'is not connected to when it means %s, whatever else it means',
    async (address) => {
      const { lookup, asked } = scriptedLookup(['127.0.0.1', address]);
      await using service = await openServer(done, { secure: true, lookup });

      const failure = await failureOf(service.outbound.fetch(service.namedUrl, { signal }));

      expect(failure).toMatchObject({ name: 'OutboundError', code: 'destination_refused' });
      expect(asked).toEqual([localName]);
      expect(service.server.requests).toEqual([]);
      expect(service.events).toEqual([]);
    },
  );

  it('is refused as this machine where that may not be called', async () => {
    const { lookup } = scriptedLookup(['127.0.0.1']);
    await using service = await openServer(done, { secure: true, lookup, allowLoopback: false });

    const failure = await failureOf(service.outbound.fetch(service.namedUrl, { signal }));

    expect(failure).toMatchObject({ message: `${localName} has the address 127.0.0.1, which is not public` });
    expect(service.server.requests).toEqual([]);
  });

  it('that changes its mind is refused at the next connection', async () => {
    const { lookup, asked } = scriptedLookup(['127.0.0.1'], ['10.0.0.1']);
    const closing: Answer = (_, response) => response.writeHead(200, { connection: 'close' }).end('done');
    await using service = await openServer(closing, { secure: true, lookup });

    const first = await service.outbound.fetch(service.namedUrl, { signal });
    const failure = await failureOf(service.outbound.fetch(service.namedUrl, { signal }));

    expect(first.status).toBe(200);
    expect(failure).toMatchObject({ code: 'destination_refused' });
    expect(asked).toEqual([localName, localName]);
    expect(service.server.requests).toHaveLength(1);
  });

  it('that nobody knows makes the host unavailable', async () => {
    await using client = openOutbound({
      allowedHosts: [localName],
      lookup: (_, __, callback) =>
        callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []),
    });

    const failure = await failureOf(client.outbound.fetch(`https://${localName}/`, { signal }));

    expect(failure).toMatchObject({ code: 'unavailable', cause: { code: 'ENOTFOUND' } });
  });
});

describe('TLS', () => {
  it('is spoken with the name of the URL', async () => {
    const names: unknown[] = [];
    const { lookup } = scriptedLookup(['127.0.0.1']);
    await using service = await openServer(
      (request, response) => {
        names.push((request.socket as TLSSocket).servername);
        response.end('done');
      },
      { secure: true, lookup },
    );

    const answer = await service.outbound.fetch(service.namedUrl, {
      headers: { host: 'elsewhere.example' },
      signal,
    });

    expect(answer.status).toBe(200);
    expect(names).toEqual([localName]);
  });

  it.each([
    ['another authority has signed', { ca: makeSelfSigned(localName).certificate }, localName],
    ['belongs to another name', {}, 'other.example'],
  ])('is refused with a certificate that %s', async (_, setUp, name) => {
    const { lookup } = scriptedLookup(['127.0.0.1']);
    const identity = makeSelfSigned(localName);
    await using server = await startMisbehavingServer(done, identity);
    await using client = openOutbound({
      allowedHosts: [`${name}:${new URL(server.origin).port}`],
      lookup,
      ca: identity.certificate,
      ...setUp,
    });

    const failure = await failureOf(
      client.outbound.fetch(`https://${name}:${new URL(server.origin).port}/`, { signal }),
    );

    expect(failure).toMatchObject({ code: 'upstream', cause: { code: expect.stringContaining('CERT') } });
    expect(server.requests).toEqual([]);
  });
});
