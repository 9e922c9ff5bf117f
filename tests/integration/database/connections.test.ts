import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { type Database, sql } from '../../../src/lib/database/index.ts';
import { createResilience, type ResilienceEvent } from '../../../src/lib/resilience/index.ts';
import { openDatabase } from '../../support/databases.ts';
import { runStatements, urlWith } from '../../support/own-postgres.ts';

const never = () => new AbortController().signal;
const one = (database: Database, signal = never()) =>
  database.read('ask', signal, async (db) => (await sql<{ one: number }>`select 1 as one`.execute(db)).rows);

describe('a server without a connection left', () => {
  const role = `limited_${randomUUID().slice(0, 8)}`;
  const limitedUrl = urlWith(inject('databaseUrl'), { user: role, password: 'x' });
  let holder: pg.Client;
  let events: ResilienceEvent[];
  let database: Database;
  let onRetry: () => void;
  let random: number;

  beforeEach(async () => {
    await runStatements(inject('databaseUrl'), `create role ${role} login password 'x' connection limit 1`);
    holder = new pg.Client(limitedUrl);
    await holder.connect();
    events = [];
    onRetry = () => {};
    random = 0;
    const resilience = createResilience({
      clock: { ...systemClock, random: () => random },
      onEvent(event) {
        events.push(event);
        if (event.type === 'retry') onRetry();
      },
    });
    database = openDatabase(limitedUrl, resilience);
  });
  afterEach(async () => {
    await database.close();
    await holder.end();
    await runStatements(inject('databaseUrl'), `drop role ${role}`);
  });

  it('is asked again, and then unavailable', async () => {
    await expect(one(database)).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: expect.any(Number),
      cause: { code: '53300' },
    });

    expect(events.map(({ type }) => type)).toEqual(['retry', 'retry', 'retry', 'give_up']);
  });

  it('answers as soon as there is one again', async () => {
    // Half of the longest wait, for the server to see the holder gone.
    random = 0.5;
    onRetry = () => void holder.end();

    expect(await one(database)).toEqual([{ one: 1 }]);

    expect(events.map(({ type }) => type)).toContain('retry');
  });
});

describe('the pools', () => {
  it('hold as many connections as they are given, and let others wait', async () => {
    const resilience = createResilience({ clock: systemClock });
    const database = openDatabase(inject('databaseUrl'), resilience, { app: 2, direct: 1 });
    const holding = new AbortController();
    const sleeping = Promise.allSettled(
      [1, 2].map(() => database.read('hold', holding.signal, (db) => sql`select pg_sleep(60)`.execute(db))),
    );
    await expect.poll(() => database.connections().app).toEqual({ active: 2, max: 2 });

    const waiting = one(database);
    const early = await Promise.race([waiting, new Promise((resolve) => setImmediate(resolve, 'waits'))]);
    holding.abort(new Error('enough'));

    expect(early).toBe('waits');
    expect(await waiting).toEqual([{ one: 1 }]);
    expect(database.connections().direct).toEqual({ active: 0, max: 1 });
    await sleeping;
    await database.close();
  });
});
