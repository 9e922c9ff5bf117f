import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { isRefusal } from '../../../src/lib/database/errors.ts';
import { type Database, migrateToLatest, parseDatabaseUrl, sql } from '../../../src/lib/database/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { runStatements } from '../../support/own-postgres.ts';

let url: string;
let database: Database;

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  // As the login of the app has it.
  const name = new URL(url).pathname.slice(1);
  await runStatements(url, `alter database ${name} set client_connection_check_interval = '1s'`);
  // Waits between retries and breakers are not what is tested here.
  const clock = { ...systemClock, random: () => 0 };
  const settings = { breakerThreshold: 0 };
  database = openDatabase(url, createResilience({ clock, settings }));
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

const never = () => new AbortController().signal;
const addProject = (id: string) => sql`insert into projects (id, name) values (${id}, 'test')`;
const uuid = () => crypto.randomUUID();

async function countProjects(id: string): Promise<number> {
  const rows = await database.read('count', never(), (db) =>
    db.selectFrom('projects').selectAll().where('id', '=', id).execute(),
  );
  return rows.length;
}

/** Statements of this database that are running besides the one that asks. */
async function running(fragment: string): Promise<number> {
  const { rows } = await database.read('look', never(), (db) =>
    sql<{ n: number }>`
      select count(*) as n from pg_stat_activity
      where query like ${`%${fragment}%`} and state = 'active' and pid <> pg_backend_pid()`.execute(db),
  );
  return rows[0]?.n ?? 0;
}

describe('a transaction', () => {
  it('happens whole, or not at all', async () => {
    const [kept, lost] = [uuid(), uuid()];

    await database.transaction('add', never(), (trx) => addProject(kept).execute(trx));
    const failing = database.transaction('add', never(), async (trx) => {
      await addProject(lost).execute(trx);
      throw new Error('changed my mind');
    });

    await expect(failing).rejects.toThrow('changed my mind');
    expect([await countProjects(kept), await countProjects(lost)]).toEqual([1, 0]);
  });

  it('runs again as a whole after a collision', async () => {
    const id = uuid();
    let tries = 0;

    await database.transaction('collide', never(), async (trx) => {
      tries += 1;
      await addProject(id).execute(trx);
      if (tries < 3) await sql`do $$ begin raise exception using errcode = '40001'; end $$`.execute(trx);
    });

    expect([tries, await countProjects(id)]).toEqual([3, 1]);
  });

  it('runs again after its connection was lost before the commit', async () => {
    const id = uuid();
    let tries = 0;

    await database.transaction('lose connection', never(), async (trx) => {
      tries += 1;
      await addProject(id).execute(trx);
      if (tries === 1) await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
    });

    expect([tries, await countProjects(id)]).toEqual([2, 1]);
  });

  it('gives up after collisions without end', async () => {
    const failing = database.transaction('collide', never(), (trx) =>
      sql`do $$ begin raise exception using errcode = '40P01'; end $$`.execute(trx),
    );

    await expect(failing).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: expect.any(Number),
    });
  });
});

describe('errors of the database', () => {
  it.each([
    ['23505', 'conflict'],
    ['23502', 'validation_failed'],
    ['23514', 'validation_failed'],
    ['22003', 'validation_failed'],
    ['55P03', 'conflict'],
    ['57014', 'deadline_exceeded'],
    ['25006', 'unavailable'],
    ['53100', 'unavailable'],
    ['53300', 'unavailable'],
    ['57P03', 'unavailable'],
    ['42P01', 'database'],
    ['XX000', 'database'],
  ])('become what a client may know: %s is %s', async (sqlState, code) => {
    const failing = database.read('fail', never(), (db) =>
      sql`do ${sql.raw(`$$ begin raise exception 'host db.internal' using errcode = '${sqlState}'; end $$`)}`.execute(
        db,
      ),
    );

    const error = await failing.catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'AppError', code });
    expect(error.message).not.toContain('db.internal');
  });

  it('tell a reference to nothing from a row that is still referred to', async () => {
    const id = uuid();
    const dangling = database.transaction('refer', never(), (trx) =>
      sql`insert into project_members (project_id, user_id) values (${uuid()}, 'u')`.execute(trx),
    );
    await expect(dangling).rejects.toMatchObject({ code: 'validation_failed' });

    await database.transaction('add', never(), async (trx) => {
      await addProject(id).execute(trx);
      await sql`insert into files (id, name, content_type, size, sha256, status, project_id, owner_id, container, blob_name, created_at)
        values (${uuid()}, 'a', 'b', 1, repeat('a', 64), 'available', ${id}, 'o', 'c', 'b', now())`.execute(
        trx,
      );
    });
    const removing = database.transaction('remove', never(), (trx) =>
      trx.deleteFrom('projects').where('id', '=', id).execute(),
    );
    await expect(removing).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('an abort', () => {
  it('ends the call at once and the statement on the server soon', async () => {
    const controller = new AbortController();
    const reason = new Error('the client has gone');

    const asking = database.read('sleep', controller.signal, (db) =>
      sql`select pg_sleep(60) /* to abort */`.execute(db),
    );
    await expect.poll(() => running('to abort')).toBe(1);
    controller.abort(reason);

    await expect(asking).rejects.toBe(reason);
    await expect.poll(() => running('to abort'), { timeout: 10_000 }).toBe(0);
    expect(database.connections().app.active).toBe(0);
  });

  it('ends waiting for a free connection', async () => {
    const holders = Array.from({ length: 10 }, () => new AbortController());
    const holding = holders.map(({ signal }) =>
      database.read('hold', signal, (db) => sql`select pg_sleep(60)`.execute(db)),
    );
    const waiting = new AbortController();

    const asking = database.read('wait', waiting.signal, (db) => sql`select 1`.execute(db));
    waiting.abort(new Error('tired of waiting'));

    await expect(asking).rejects.toThrow('tired of waiting');
    for (const holder of holders) holder.abort(new Error('enough'));
    await Promise.allSettled(holding);
    await expect.poll(() => database.connections().app.active).toBe(0);
    expect(await countProjects(uuid())).toBe(0);
  });
});

describe('a snapshot', () => {
  it('does not move, whatever others do', async () => {
    await using snapshot = await database.openSnapshot(never());
    const count = async () => {
      const { n } = await snapshot.db
        .selectFrom('projects')
        .select(sql<number>`count(*)`.as('n'))
        .executeTakeFirstOrThrow();
      return n;
    };

    const before = await count();
    await database.transaction('add', never(), (trx) => addProject(uuid()).execute(trx));

    expect(await count()).toBe(before);
    expect(snapshot.id).toMatch(/^\d+:\d+:/);
  });

  it('cannot change anything, and gives its connection back', async () => {
    {
      await using snapshot = await database.openSnapshot(never());
      await expect(addProject(uuid()).execute(snapshot.db)).rejects.toMatchObject({ code: '25006' });
      expect(database.connections().direct.active).toBe(1);
    }

    expect(database.connections().direct.active).toBe(0);
  });
});

describe('numbers and times', () => {
  it('come back as they went in', async () => {
    const at = '2026-11-20T01:02:03.456Z';

    const row = await database.read('echo', never(), (db) =>
      db
        .selectNoFrom([
          sql<number>`9007199254740991::bigint`.as('big'),
          sql<Date>`${at}::timestamptz`.as('at'),
        ])
        .executeTakeFirstOrThrow(),
    );

    expect(row).toEqual({ big: Number.MAX_SAFE_INTEGER, at: new Date(at) });
  });
});

describe('a server that accepts and never answers', () => {
  it('is unavailable, and is given up in time', async () => {
    const silent = net.createServer(() => {});
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const address = `postgresql://u:p@127.0.0.1:${(silent.address() as net.AddressInfo).port}/d`;
    const resilience = createResilience({ clock: systemClock, settings: { retries: 0 } });
    const unreachable = openDatabase(address, resilience);

    const asking = unreachable.read('ask', never(), (db) => sql`select 1`.execute(db));

    await expect(asking).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: expect.any(Number),
    });
    await unreachable.close();
    silent.close();
  });
});

describe('a commit whose answer is lost', () => {
  it('is not repeated, because it may have happened', async () => {
    const id = uuid();
    const proxy = await startSwallowingProxy(url, /commit/i);
    const through = new URL(url);
    through.port = String(proxy.port);
    const settings = { timeoutMs: 500, breakerThreshold: 0 };
    const resilience = createResilience({ clock: { ...systemClock, random: () => 0 }, settings });
    const behindProxy = openDatabase(through.href, resilience);
    let runs = 0;

    const adding = behindProxy.transaction('add', never(), async (trx) => {
      runs += 1;
      await addProject(id).execute(trx);
    });

    await expect(adding).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('not known'),
    });
    expect([runs, await countProjects(id)]).toEqual([1, 1]);
    await behindProxy.close();
    proxy.close();
  });
});

/** Passes everything on until the client says the given word; from then on the server's answers get lost. */
async function startSwallowingProxy(target: string, word: RegExp) {
  const { hostname, port } = new URL(target);
  const sockets: net.Socket[] = [];
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(port), hostname);
    let swallows = false;
    client.on('data', (chunk) => {
      swallows ||= word.test(chunk.toString('latin1'));
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!swallows) client.write(chunk);
    });
    for (const socket of [client, upstream]) socket.on('error', () => {});
    sockets.push(client, upstream);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('what a commit is answered', () => {
  it.each([
    [{ code: '40001', severity: 'ERROR' }, true],
    [{ code: '23514', severity: 'ERROR' }, true],
    [{ code: '08P01', severity: 'FATAL' }, false],
    [{ code: '57P01', severity: 'FATAL' }, false],
    [{ code: '40003', severity: 'ERROR' }, false],
    [{ code: 'ECONNRESET' }, false],
    [{}, false],
  ])('proves that nothing was changed, or does not: %j', (fields, proves) => {
    expect(isRefusal(Object.assign(new Error('refused'), fields))).toBe(proves);
  });
});
