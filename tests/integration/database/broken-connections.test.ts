import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { migrateToLatest, parseDatabaseUrl, sql } from '../../../src/lib/database/index.ts';
import { createResilience, type ResilienceSettings } from '../../../src/lib/resilience/index.ts';
import { type Cut, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { runStatements } from '../../support/own-postgres.ts';

let url: string;

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
});
afterAll(() => dropDatabase(url));

const { signal } = new AbortController();
const clock = { ...systemClock, random: () => 0 };

function open(address: string, settings: Partial<ResilienceSettings> = {}) {
  const resilience = createResilience({ clock, settings: { breakerThreshold: 0, ...settings } });
  const database = openDatabase(address, resilience);
  return { database, resilience, [Symbol.asyncDispose]: () => database.close() };
}

const cutOnce = (statement: number): Cut => ({ statement, when: 'before', forGood: false });

describe('a snapshot', () => {
  it('is opened again when its connection breaks while it is opened', async () => {
    await using proxy = await startCuttingProxy(url, cutOnce(2));
    await using app = open(proxy.url);

    const snapshot = await app.database.openSnapshot(signal);
    const { active } = app.database.connections().direct;
    await snapshot[Symbol.asyncDispose]();

    expect(proxy.hasCut).toBe(true);
    expect(snapshot.id).toMatch(/^\d+:\d+:/);
    expect([active, app.database.connections().direct.active]).toEqual([1, 0]);
  });

  it('whose connection has broken is closed without a word, and its connection is not used again', async () => {
    await using proxy = await startCuttingProxy(url, cutOnce(3));
    await using app = open(proxy.url);
    {
      await using _ = await app.database.openSnapshot(signal);
    }

    await using next = await app.database.openSnapshot(signal);

    expect(proxy.statements[2]).toBe('rollback');
    expect(next.id).toMatch(/^\d+:\d+:/);
  });

  it('of a server that never answers is given up in time', async () => {
    const sockets: net.Socket[] = [];
    const silent = net.createServer((socket) => sockets.push(socket));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { port } = silent.address() as net.AddressInfo;
    await using app = open(`postgresql://u:p@127.0.0.1:${port}/d`, { retries: 0, timeoutMs: 300 });

    const opening = app.database.openSnapshot(signal);

    await expect(opening).rejects.toMatchObject({ code: 'unavailable' });
    silent.close();
    for (const socket of sockets) socket.destroy();
  });

  it('ends with the signal of its caller while it is opened', async () => {
    const controller = new AbortController();
    await using proxy = await startCuttingProxy(url);
    await using app = open(proxy.url);

    const opening = app.database.openSnapshot(controller.signal);
    controller.abort(new Error('the client has gone'));

    await expect(opening).rejects.toThrow('the client has gone');
    await expect.poll(() => app.database.connections().direct.active).toBe(0);
  });
});

describe('a commit', () => {
  it('that is refused has changed nothing, and says why', async () => {
    await using app = open(url);
    await runStatements(
      url,
      'create table parents (id integer primary key)',
      'create table children (parent integer references parents deferrable initially deferred)',
    );
    let runs = 0;

    const adding = app.database.transaction('add', signal, async (trx) => {
      runs += 1;
      await sql`insert into children values (7)`.execute(trx);
    });

    await expect(adding).rejects.toMatchObject({ code: 'validation_failed', cause: { code: '23503' } });
    expect([runs, await runStatements(url, 'select * from children')]).toEqual([1, []]);
  });
});

describe('a health check', () => {
  it('lets the next call through that a breaker would hold back', async () => {
    await using app = open(url, { breakerThreshold: 1 });
    const { database, resilience } = app;
    const state = () => resilience.states().find(({ name }) => name === 'postgres')?.state;
    const ask = () => database.read('ask', signal, (db) => sql`select 1`.execute(db));
    await database
      .read('fail', signal, (db) =>
        sql`do $$ begin raise exception 'full' using errcode = '53100'; end $$`.execute(db),
      )
      .catch(() => {});

    const states = [state()];
    await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
    await database.ping(signal);
    states.push(state());
    await ask();
    states.push(state());

    expect(states).toEqual(['open', 'half_open', 'closed']);
  });

  it('fails while the server is away', async () => {
    await using app = open('postgresql://u:p@127.0.0.1:1/d');

    await expect(app.database.ping(signal)).rejects.toThrow('ECONNREFUSED');
  });
});
