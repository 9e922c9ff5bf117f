import { createServer, type Server } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { dumpDatabase } from '../../../src/lib/backup/engine/dump-database.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { startRewritingProxy } from './rewriting-proxy.ts';
import {
  connectionTo,
  dumpBackends,
  dumpText,
  fillLarge,
  makeDatabase,
  runSql,
  startDump,
} from './sources.ts';

/** Its dump is larger than all buffers on the way. */
let large: string;

beforeAll(async () => {
  large = await createDatabase(inject('databaseUrl'));
  await fillLarge(large);
});

afterAll(() => dropDatabase(large));

/** Resolves once no backend of a dump is left in the database. */
const untilNoBackend = (url: string) =>
  vi.waitFor(async () => expect(await dumpBackends(url)).toEqual([]), { timeout: 10_000 });

/** Starts a dump and takes its first bytes only; resolves when even the server cannot send any more. */
async function stuckDump(url: string, signal?: AbortSignal) {
  const dump = startDump(connectionTo(url), signal);
  const iterator = dump.iterator({ destroyOnReturn: false });
  await iterator.next();
  await vi.waitFor(
    async () => expect(await dumpBackends(url)).toMatchObject([{ wait_event: 'ClientWrite' }]),
    { timeout: 20_000 },
  );
  return dump;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

describe('a dump that fails', () => {
  it.each([
    ['a wrong password', { password: 'wrong' }, 'password authentication failed'],
    ['a missing database', { database: 'missing_database' }, 'database "missing_database" does not exist'],
  ])('tells of %s in the words of pg_dump', async (_, change, words) => {
    const url = await makeDatabase();

    const dump = dumpText(connectionTo(url, change));

    await expect(dump).rejects.toMatchObject({ name: 'DumpError', code: 'pg_dump_failed' });
    await expect(dump).rejects.toThrow(words);
    await expect(dump).rejects.not.toThrow('wrong');
  });

  it('fails when the backend is killed in the middle', async () => {
    const url = large;
    const dump = await stuckDump(url);

    await runSql(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pg_dump' and datname = current_database()`,
    );

    await expect(buffer(dump)).rejects.toMatchObject({ name: 'DumpError', code: 'pg_dump_failed' });
    await untilNoBackend(url);
  });

  it('fails when the connection is cut in the middle', async () => {
    const url = large;
    const proxy = await startRewritingProxy(connectionTo(url).port, (bytes) => bytes);
    const dump = startDump(connectionTo(url, { port: proxy.port }));

    for await (const _ of dump.iterator({ destroyOnReturn: false })) break;
    proxy.cut();

    await expect(buffer(dump)).rejects.toMatchObject({ name: 'DumpError', code: 'pg_dump_failed' });
    await untilNoBackend(url);
  });

  it('tells that there was no token to log in with', async () => {
    const url = await makeDatabase();
    const failure = new Error('no token');

    const dump = dumpText(connectionTo(url, { password: () => Promise.reject(failure) }));

    await expect(dump).rejects.toMatchObject({ name: 'DumpError', code: 'connect_failed', cause: failure });
  });

  it('gives an identity that says nothing thirty seconds', async () => {
    const clock = fakeClock();
    const connection = connectionTo(large, { password: () => new Promise(() => {}) });
    const dump = dumpDatabase({ connection, args: [], clock, signal: new AbortController().signal });
    const outcome = buffer(dump);
    outcome.catch(() => {});

    await clock.advance(29_999);
    const wasDestroyed = dump.destroyed;
    await clock.advance(1);

    expect(wasDestroyed).toBe(false);
    await expect(outcome).rejects.toMatchObject({ name: 'DumpError', code: 'connect_failed' });
    expect(clock.timers).toBe(0);
  });

  it('refuses a server that is newer than pg_dump', async () => {
    const url = await makeDatabase();
    const proxy = await startRewritingProxy(connectionTo(url).port, pretendVersion('19.4'));

    const dump = dumpText(connectionTo(url, { port: proxy.port }));

    await expect(dump).rejects.toThrow('aborting because of server version mismatch');
  });

  it('tells that nobody listens', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));

    const dump = dumpText({ host: '127.0.0.1', port, user: 'a', password: 'b', database: 'c' });

    await expect(dump).rejects.toMatchObject({ name: 'DumpError', code: 'connect_failed' });
  });

  it('fails when the server closes the connection unasked', async () => {
    const port = await listen(createServer((socket) => void socket.end()));

    const dump = dumpText({ host: '127.0.0.1', port, user: 'a', password: 'b', database: 'c' });

    await expect(dump).rejects.toMatchObject({ name: 'DumpError', code: 'pg_dump_failed' });
  });

  it.each([
    ['', undefined],
    [' to a request for TLS', { rejectUnauthorized: false }],
  ])('gives a server that does not answer%s five seconds', async (_, tls) => {
    const clock = fakeClock();
    const accepted = Promise.withResolvers<void>();
    const port = await listen(
      createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => accepted.resolve());
      }),
    );
    const connection = {
      host: '127.0.0.1',
      port,
      user: 'a',
      password: 'b',
      database: 'c',
      ...(tls && { tls }),
    };
    const dump = dumpDatabase({ connection, args: [], clock, signal: new AbortController().signal });
    const outcome = buffer(dump);
    outcome.catch(() => {});
    await accepted.promise;

    await clock.advance(4_999);
    const wasDestroyed = dump.destroyed;
    await clock.advance(1);

    expect(wasDestroyed).toBe(false);
    await expect(outcome).rejects.toMatchObject({ name: 'DumpError', code: 'connect_failed' });
    expect(clock.timers).toBe(0);
  });
});

describe('a dump that is not read to its end', () => {
  it('holds the server back instead of filling memory', async () => {
    const url = large;
    const before = process.memoryUsage().arrayBuffers;

    const dump = await stuckDump(url);
    const grown = process.memoryUsage().arrayBuffers - before;
    const rest = await buffer(dump);

    expect(grown).toBeLessThan(12 * 1024 * 1024);
    expect(rest.length).toBeGreaterThan(30 * 1024 * 1024);
    expect(rest.includes('-- PostgreSQL database dump complete')).toBe(true);
  });

  it('leaves no backend when its reader stops', async () => {
    const url = large;
    const dump = await stuckDump(url);

    dump.destroy();

    await untilNoBackend(url);
  });

  it('leaves no backend when it is aborted, and fails with the reason', async () => {
    const url = large;
    const abort = new AbortController();
    const dump = await stuckDump(url, abort.signal);
    const reason = new Error('enough');

    abort.abort(reason);

    await expect(buffer(dump)).rejects.toBe(reason);
    await untilNoBackend(url);
  });

  it('does not even begin when it is aborted already', async () => {
    const url = await makeDatabase();
    const reason = new Error('too late');

    const dump = startDump(connectionTo(url), AbortSignal.abort(reason));

    await expect(buffer(dump)).rejects.toBe(reason);
    await untilNoBackend(url);
  });
});

describe('a dump of a server before 17', () => {
  it('lacks the setting that such a server does not know', async () => {
    const url = await makeDatabase();
    const proxy = await startRewritingProxy(connectionTo(url).port, pretendVersion('16.4'));

    const dump = await dumpText(connectionTo(url, { port: proxy.port }));

    expect(dump).toContain('-- Dumped from database version 16.4');
    expect(dump).toContain('SET lock_timeout = 0;');
    expect(dump).not.toContain('transaction_timeout');
  });
});

/** Changes what the server says of itself at the start: both versions have the same length. */
function pretendVersion(version: string) {
  return (bytes: Buffer) =>
    Buffer.from(
      bytes.toString('latin1').replace(/server_version\0\d\d\.\d\0/, `server_version\0${version}\0`),
      'latin1',
    );
}
