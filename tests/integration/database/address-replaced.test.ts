import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import {
  createDatabase as createAccess,
  type Database,
  type DatabaseAddress,
  parseDatabaseUrl,
  sql,
} from '../../../src/lib/database/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';
import { runStatements } from '../../support/own-postgres.ts';

/* Two databases stand for the place before and after: each connection tells where it leads. */

let before: DatabaseAddress;
let after: DatabaseAddress;
let urls: string[];
let current: DatabaseAddress;
let database: Database;
const never = () => new AbortController().signal;

beforeAll(async () => {
  urls = [await createDatabase(inject('databaseUrl')), await createDatabase(inject('databaseUrl'))];
  [before, after] = urls.map((url) => parseDatabaseUrl(url)) as [DatabaseAddress, DatabaseAddress];
});
afterAll(() => Promise.all(urls.map(dropDatabase)));
beforeEach(() => {
  current = before;
  const pool = { address: () => current, maxConnections: 1 };
  database = createAccess({ app: pool, direct: pool, resilience: createResilience({ clock: systemClock }) });
  return () => database.close();
});

const place = sql<{ name: string }>`select current_database() as name`;
const ask = () => database.read('ask', never(), async (db) => (await place.execute(db)).rows[0]?.name);

/** Connections to the old place, as the server counts them. */
async function connectionsBefore(): Promise<number> {
  const [row] = await runStatements<{ n: string }>(
    inject('databaseUrl'),
    `select count(*) as n from pg_stat_activity where datname = '${before.database}'`,
  );
  return Number(row?.n);
}

describe('an address that was replaced', () => {
  it('leads new work elsewhere, and closes connections that nobody uses', async () => {
    const first = await ask();
    current = after;
    const second = await ask();

    expect([first, second]).toEqual([before.database, after.database]);
    await expect.poll(connectionsBefore).toBe(0);
  });

  it('lets end what is going on, also for who had waited for a connection', async () => {
    const open = await database.openSnapshot(never());
    const waiting = database.openSnapshot(never());
    // By then it stands in line.
    await setImmediate();
    current = after;
    await using elsewhere = await database.openSnapshot(never());
    const during = (await place.execute(open.db)).rows[0]?.name;
    const active = database.connections().direct.active;
    await open[Symbol.asyncDispose]();
    const late = await waiting;
    const afterwards = (await place.execute(late.db)).rows[0]?.name;
    await late[Symbol.asyncDispose]();

    expect((await place.execute(elsewhere.db)).rows[0]?.name).toBe(after.database);
    expect([during, afterwards]).toEqual([before.database, before.database]);
    expect(active).toBe(2);
    await expect.poll(connectionsBefore).toBe(0);
    expect(database.connections().direct).toEqual({ active: 1, max: 1 });
  });

  it('does not keep the end of the process from waiting for what is going on there', async () => {
    const open = await database.openSnapshot(never());
    current = after;
    await ask();
    const ended: string[] = [];
    const closing = database.close().then(() => ended.push('closed'));
    await place.execute(open.db);
    ended.push('asked');
    await open[Symbol.asyncDispose]();
    await closing;

    expect(ended).toEqual(['asked', 'closed']);
    await expect.poll(connectionsBefore).toBe(0);
  });
});
