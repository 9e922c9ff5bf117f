import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/lib/core/index.ts';
import { createDatabase, type Database, migrateToLatest, sql } from '../../../src/lib/database/index.ts';
import { createJobs, type JobHandler } from '../../../src/lib/jobs/jobs.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import type { Queue } from '../../../src/lib/storage/index.ts';
import { createDatabase as createTestDatabase, dropDatabase } from '../../support/databases.ts';

let url: string;
let database: Database;

beforeAll(async () => {
  url = await createTestDatabase(inject('databaseUrl'));
  await migrateToLatest(url);
  database = createDatabase({ url, directUrl: url, resilience: createResilience({ clock: systemClock }) });
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };
const { signal } = new AbortController();

function setUp(handler: JobHandler, send: Queue['send'] = async () => {}) {
  const sent: { kind: string; id: string }[] = [];
  const queue: Queue = {
    async send(text, options) {
      await send(text, options);
      sent.push(JSON.parse(text));
    },
    approximateLength: async () => sent.length,
  };
  const jobs = createJobs({ clock: systemClock, logger, database, queue, handlers: { test: handler } });
  return { jobs, sent };
}

async function rowOf(id: string | undefined) {
  return database.read('look', signal, (db) =>
    db
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', id ?? '')
      .executeTakeFirstOrThrow(),
  );
}

describe('a job', () => {
  it('is done by the worker that gets its message', async () => {
    const done: string[] = [];
    const { jobs, sent } = setUp(async (subject) => void done.push(subject));

    await jobs.enqueue('test', 'a thing', signal);
    await jobs.work(sent[0], signal);

    expect(done).toEqual(['a thing']);
    expect(await rowOf(sent[0]?.id)).toMatchObject({ status: 'succeeded', attempts: 1, error_code: null });
  });

  it('is done once, however often its message comes, also at the same time', async () => {
    let done = 0;
    const { jobs, sent } = setUp(async () => {
      done += 1;
    });

    await jobs.enqueue('test', 'a thing', signal);
    await Promise.all(Array.from({ length: 8 }, () => jobs.work(sent[0], signal)));
    await jobs.work(sent[0], signal);

    expect(done).toBe(1);
  });

  it('that fails is noted as failed, and its message is done with', async () => {
    const { jobs, sent } = setUp(() =>
      Promise.reject(Object.assign(new Error('no'), { code: 'engine_broke' })),
    );

    await jobs.enqueue('test', 'a thing', signal);
    await jobs.work(sent[0], signal);

    expect(await rowOf(sent[0]?.id)).toMatchObject({ status: 'failed', error_code: 'engine_broke' });
  });

  it('of a worker that died is done by another one, but not before its claim has run out', async () => {
    const done: string[] = [];
    const { jobs, sent } = setUp(async (subject) => void done.push(subject));
    await jobs.enqueue('test', 'a thing', signal);
    const claim = (end: string) =>
      database.transaction('claim', signal, (trx) =>
        sql`update jobs set status = 'running', attempts = 1, claimed_until = now() + ${end}::interval
            where id = ${sent[0]?.id}`.execute(trx),
      );

    await claim('1 minute');
    await jobs.work(sent[0], signal);
    const whileAlive = [...done];
    await claim('-1 second');
    await jobs.work(sent[0], signal);

    expect([whileAlive, done]).toEqual([[], ['a thing']]);
    expect(await rowOf(sent[0]?.id)).toMatchObject({ status: 'succeeded', attempts: 2 });
  });

  it('whose worker cannot be called is noted as failed', async () => {
    const { jobs } = setUp(
      async () => {},
      () => Promise.reject(new Error('queue down')),
    );

    await expect(jobs.enqueue('test', 'never sent', signal)).rejects.toThrow('queue down');

    const rows = await database.read('look', signal, (db) =>
      db.selectFrom('jobs').selectAll().where('subject', '=', 'never sent').execute(),
    );
    expect(rows).toMatchObject([{ status: 'failed', error_code: 'not_sent' }]);
  });

  it.each([
    undefined,
    'text',
    {},
    { kind: 'test', id: 'x' },
    { kind: 'test', id: crypto.randomUUID(), more: 1 },
  ])('is not made of the message %j, which comes again until it is put aside', async (message) => {
    const { jobs } = setUp(async () => {});

    await expect(jobs.work(message, signal)).rejects.toThrow();
  });
});
