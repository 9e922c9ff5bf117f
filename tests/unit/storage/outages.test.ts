import { describe, expect, it } from 'vitest';
import { startDeadline } from '../../../src/lib/core/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import type { Answer } from '../../support/misbehaving-server.ts';
import { toArray } from '../../support/to-array.ts';
import { impatientClock, openBadService, refuse, until } from './bad-service.ts';

const { signal } = new AbortController();
type Service = Awaited<ReturnType<typeof openBadService>>;

const calls: readonly (readonly [string, (service: Service, signal: AbortSignal) => Promise<unknown>])[] = [
  ['blob head', ({ blobs }, within) => blobs.head('a', { signal: within })],
  [
    'blob upload',
    ({ blobs }, within) => blobs.upload('a', Buffer.from('x'), { contentType: 'image/png', signal: within }),
  ],
  ['blob download', ({ blobs }, within) => blobs.download('a', { signal: within })],
  ['blob list', ({ blobs }, within) => blobs.list('', { signal: within })[Symbol.asyncIterator]().next()],
  ['table get', ({ table }, within) => table.get('p', 'r', { signal: within })],
  [
    'table insert',
    ({ table }, within) => table.insert({ partitionKey: 'p', rowKey: 'r' }, { signal: within }),
  ],
  [
    'table query',
    ({ table }, within) =>
      table.query({ partitionKey: 'p' }, { signal: within })[Symbol.asyncIterator]().next(),
  ],
  ['queue send', ({ queue }, within) => queue.send('x', { signal: within })],
  ['queue length', ({ queue }, within) => queue.approximateLength({ signal: within })],
];

const silent: Answer = () => {};
const reset: Answer = (request) => request.socket.destroy();

describe.each(calls)('%s', (_, run) => {
  it.each([
    ['says 503', refuse(503, 'ServerBusy')],
    ['says 429', refuse(429, 'TooManyRequests')],
    ['cuts the connection', reset],
  ])('is tried four times, no more, when the service %s', async (__, answer) => {
    await using service = await openBadService(answer);

    const result = await run(service, signal).catch((error: unknown) => error);

    expect(result).toMatchObject({ name: 'AppError', code: 'unavailable', retryAfterSeconds: 5 });
    expect(service.server.requests).toHaveLength(4);
    expect(service.server.pending).toBe(0);
  });

  it('is not tried again when the service forbids it', async () => {
    await using service = await openBadService(refuse(403, 'AuthenticationFailed'));

    const result = await run(service, signal).catch((error: unknown) => error);

    expect(result).toMatchObject({ name: 'AppError', code: 'upstream', cause: { statusCode: 403 } });
    expect(service.server.requests).toHaveLength(1);
    expect(service.events).toMatchObject([
      { type: 'give_up', reason: 'not_retriable', level: 'error', status: 403 },
    ]);
  });

  it('gives up at once when the service asks for more patience than there is', async () => {
    await using service = await openBadService(refuse(503, 'ServerBusy', { 'retry-after': '20' }));
    using deadline = startDeadline(impatientClock, 10_000);

    const result = await run(service, deadline.signal).catch((error: unknown) => error);

    expect(result).toMatchObject({ code: 'unavailable', retryAfterSeconds: 20 });
    expect(service.server.requests).toHaveLength(1);
  });

  it('ends at once with the reason of the abort when the service is silent', async () => {
    await using service = await openBadService(silent);
    const abort = new AbortController();
    const reason = new Error('enough');
    const result = run(service, abort.signal).catch((error: unknown) => error);
    await until(() => service.server.requests.length === 1);

    const abortedAt = performance.now();
    abort.abort(reason);

    expect(await result).toBe(reason);
    expect(performance.now() - abortedAt).toBeLessThan(5_000);
    await until(() => service.server.pending === 0);
    expect(service.server.requests).toHaveLength(1);
    expect(service.events).toEqual([]);
  });

  it('is cut off when a silent service lets a try take too long', async () => {
    const clock = fakeClock();
    await using service = await openBadService(silent, {
      settings: { timeoutMs: 30_000, retries: 1 },
      clock,
    });
    const result = run(service, signal).catch((error: unknown) => error);

    await until(() => service.server.requests.length === 1);
    await clock.advance(30_000);
    await clock.advance(1_000);
    await until(() => service.server.requests.length === 2);
    await clock.advance(30_000);

    expect(await result).toMatchObject({ code: 'unavailable', cause: { name: 'AttemptTimeoutError' } });
    await until(() => service.server.pending === 0);
    expect(service.server.requests).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });

  it('carries the correlation id of the work', async () => {
    await using service = await openBadService(refuse(403, 'AuthenticationFailed'), {
      correlationId: 'corr-1',
    });

    await run(service, signal).catch(() => {});

    expect(service.server.requests[0]?.headers['x-ms-client-request-id']).toBe('corr-1');
  });
});

describe('an outage', () => {
  it('is met without asking again once the breaker is open, until a ping gets through', async () => {
    let answer: Answer = refuse(503, 'ServerBusy');
    await using service = await openBadService((...request) => answer(...request), {
      settings: { retries: 0 },
    });
    const head = () => service.blobs.head('a', { signal }).catch((error: unknown) => error);
    for (let i = 0; i < 5; i++) await head();

    const rejected = await head();
    const askedBefore = service.server.requests.length;
    answer = (_request, response) => response.writeHead(200).end();
    await service.storage.ping('photos', signal);
    const states = service.resilience.states().find(({ name }) => name === 'blob');
    answer = (_request, response) => response.writeHead(200, { etag: '"0x1"' }).end();

    expect(rejected).toMatchObject({ code: 'unavailable' });
    expect(askedBefore).toBe(5);
    expect(states?.state).toBe('half_open');
    expect(await head()).toMatchObject({ name: 'a' });
  });

  it('is not over for an account that the ping has not reached', async () => {
    const refusing = refuse(503, 'ServerBusy');
    const accept: Answer = (_request, response) => response.writeHead(200).end();
    await using service = await openBadService(
      (request, ...rest) => (request.url?.includes('comp=list') ? refusing : accept)(request, ...rest),
      { settings: { retries: 0 } },
    );
    const backup = service.openAccount();
    const blobs = backup.blobs('backups', 'backup-blob');
    const stateOfBackup = () => service.resilience.states().find(({ name }) => name === 'backup-blob')?.state;
    for (let i = 0; i < 5; i++) await toArray(blobs.list('', { signal })).catch(() => {});

    await service.storage.ping('photos', signal);
    const afterOther = stateOfBackup();
    await backup.ping('backups', signal);

    expect([afterOther, stateOfBackup()]).toEqual(['open', 'half_open']);
  });

  it('fails a ping at once, without a retry', async () => {
    await using service = await openBadService(refuse(503, 'ServerBusy'));

    await expect(service.storage.ping('photos', signal)).rejects.toMatchObject({ code: 'upstream' });

    expect(service.server.requests).toHaveLength(1);
  });

  it('ends a ping with the reason of the abort', async () => {
    await using service = await openBadService(silent);
    const abort = new AbortController();
    const ping = service.storage.ping('photos', abort.signal).catch((error: unknown) => error);
    await until(() => service.server.requests.length === 1);

    abort.abort(new Error('enough'));

    expect(await ping).toEqual(new Error('enough'));
  });
});

describe('a container that is missing', () => {
  it('is made once for all who need it, and their calls succeed', async () => {
    let refused = 0;
    let made = false;
    await using service = await openBadService((request, response, number) => {
      request.resume();
      const create = () => response.writeHead(201, { etag: '"0x1"' }).end();
      if (request.url?.includes('restype=container')) {
        void until(() => refused === 8).then(() => {
          made = true;
          create();
        });
      } else if (made) create();
      else {
        refused++;
        refuse(404, 'ContainerNotFound')(request, response, number);
      }
    });
    const names = Array.from({ length: 8 }, (_, i) => `${i}`);

    await Promise.all(
      names.map((name) =>
        service.blobs.upload(name, Buffer.from(name), { contentType: 'image/png', signal }),
      ),
    );

    const creations = service.server.requests.filter(({ url }) => url.includes('restype=container'));
    expect(creations).toHaveLength(1);
    expect(service.server.requests).toHaveLength(8 + 1 + 8);
  });

  it('is not made for what finds nothing in it anyway', async () => {
    await using service = await openBadService(refuse(404, 'ContainerNotFound'));

    const found = await service.blobs.head('a', { signal });
    const deleted = await service.blobs.delete('a', { signal });

    expect([found, deleted]).toEqual([undefined, false]);
    expect(service.server.requests).toHaveLength(2);
  });

  it('is not made for ever when that does not help', async () => {
    await using service = await openBadService((request, response, number) => {
      if (request.url?.includes('restype=container')) {
        request.resume();
        response.writeHead(201, { etag: '"0x1"' }).end();
      } else refuse(404, 'ContainerNotFound')(request, response, number);
    });

    const result = await service.blobs
      .upload('a', Buffer.from('x'), { contentType: 'image/png', signal })
      .catch((error: unknown) => error);

    expect(result).toMatchObject({ code: 'upstream' });
    expect(service.server.requests).toHaveLength(3);
  });
});
