import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { type Database, type Db, sql } from '../../../src/lib/database/index.ts';
import { createResilience, type ResilienceEvent } from '../../../src/lib/resilience/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { runStatements } from '../../support/own-postgres.ts';

/* Real serialization failures and deadlocks: two transactions that are led into one another. */

let url: string;
let database: Database;
const events: ResilienceEvent[] = [];
const never = () => new AbortController().signal;

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await runStatements(url, 'create table accounts (name text primary key, amount int not null)');
  const name = new URL(url).pathname.slice(1);
  await runStatements(url, `alter database ${name} set deadlock_timeout = '20ms'`);
  const clock = { ...systemClock, random: () => 0 };
  const onEvent = (event: ResilienceEvent) => events.push(event);
  database = openDatabase(url, createResilience({ clock, onEvent, settings: { breakerThreshold: 1 } }));
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});
beforeEach(async () => {
  await runStatements(url, "truncate accounts; insert into accounts values ('a', 50), ('b', 50)");
  events.length = 0;
});

async function amounts(): Promise<Record<string, number>> {
  const rows = await database.read('look', never(), async (db) => {
    const found = await sql<{ name: string; amount: number }>`select name, amount from accounts`.execute(db);
    return found.rows;
  });
  return Object.fromEntries(rows.map(({ name, amount }) => [name, amount]));
}

const add = (db: Db, name: string, amount: number) =>
  sql`update accounts set amount = amount + ${amount} where name = ${name}`.execute(db);

/** Lets everybody wait until as many have come; who comes later passes. */
function meetingPoint(size: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let come = 0;
  return () => {
    if (++come >= size) resolve();
    return promise;
  };
}

/** SQLSTATEs of the tries that were tried again. */
const collisions = () =>
  events.flatMap((event) => (event.type === 'retry' ? [(event.error as { code?: string }).code] : []));

describe('two transactions that wait for one another', () => {
  it('both happen, the victim of the deadlock from its beginning', async () => {
    const bothHoldOne = meetingPoint(2);
    const runs = { there: 0, back: 0 };
    const move = (direction: 'there' | 'back', first: string, second: string) =>
      database.transaction(direction, never(), async (trx) => {
        runs[direction]++;
        await add(trx, first, 1);
        await bothHoldOne();
        await add(trx, second, 10);
      });

    await Promise.all([move('there', 'a', 'b'), move('back', 'b', 'a')]);

    expect(collisions()).toEqual(['40P01']);
    expect(runs.there + runs.back).toBe(3);
    expect(await amounts()).toEqual({ a: 61, b: 61 });
  });
});

describe('two serializable transactions that read what the other writes', () => {
  const setLevel = sql`set transaction isolation level serializable`;

  it('both happen, the second as if after the first', async () => {
    const bothHaveRead = meetingPoint(2);
    let runs = 0;
    /** Takes 60 from one account while both together hold as much: only one of two may. */
    const take = (name: string) =>
      database.transaction('take', never(), async (trx) => {
        runs++;
        await setLevel.execute(trx);
        const { rows } = await sql<{ total: string }>`select sum(amount) as total from accounts`.execute(trx);
        await bothHaveRead();
        if (Number(rows[0]?.total) < 60) return 'refused';
        await add(trx, name, -60);
        return 'taken';
      });

    const results = await Promise.all([take('a'), take('b')]);

    expect(results.sort()).toEqual(['refused', 'taken']);
    expect(collisions()).toEqual(['40001']);
    expect(runs).toBe(3);
    const { a = 0, b = 0 } = await amounts();
    expect(a + b).toBe(40);
  });

  it('are given up after three more tries, without effect, and not held against the database', async () => {
    let runs = 0;

    const losing = database.transaction('lose', never(), async (trx) => {
      runs++;
      await sql`set transaction isolation level repeatable read`.execute(trx);
      await sql`select * from accounts`.execute(trx);
      // Somebody else always comes between.
      await runStatements(url, "update accounts set amount = amount + 1 where name = 'a'");
      await add(trx, 'a', 1000);
    });

    await expect(losing).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: 5,
      cause: { code: '40001' },
    });
    expect(runs).toBe(4);
    expect(collisions()).toEqual(['40001', '40001', '40001']);
    // The breaker opens at the first failure here, and has not.
    expect(await amounts()).toEqual({ a: 54, b: 50 });
  });

  it('cannot lose a count, however many there are', async () => {
    const adding = Array.from({ length: 8 }, () =>
      database.transaction('count', never(), async (trx) => {
        await setLevel.execute(trx);
        const { rows } = await sql<{ amount: number }>`select amount from accounts where name = 'a'`.execute(
          trx,
        );
        await sql`update accounts set amount = ${(rows[0]?.amount ?? 0) + 1} where name = 'a'`.execute(trx);
      }),
    );

    const results = await Promise.allSettled(adding);

    const done = results.filter(({ status }) => status === 'fulfilled').length;
    expect(await amounts()).toEqual({ a: 50 + done, b: 50 });
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'unavailable' });
    }
  });
});
