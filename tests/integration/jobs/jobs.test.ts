import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { AppError, systemClock } from '../../../src/lib/core/index.ts';
import { type Database, migrateToLatest, parseDatabaseUrl, sql } from '../../../src/lib/database/index.ts';
import { createJobs, type JobHandler } from '../../../src/lib/jobs/jobs.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import type { Queue } from '../../../src/lib/storage/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';

let url: string;
let database: Database;

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  database = openDatabase(url, createResilience({ clock: systemClock }));
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };
const { signal } = new AbortController();

function setUp(handler: JobHandler, send: Queue['send'] = async () => {}) {
  const sent: { kind: string; id: string; delaySeconds: number | undefined }[] = [];
  const queue: Queue = {
    async send(text, options) {
      await send(text, options);
      sent.push({ ...JSON.parse(text), delaySeconds: options.visibilityDelaySeconds });
    },
    approximateLength: async () => sent.length,
  };
  const inner = createJobs({ clock: systemClock, logger, database, queue, handlers: { test: handler } });
  const jobs = {
    enqueue: inner.enqueue,
    /** Takes a message as the queue gives it back. */
    work: (message: unknown, stop: AbortSignal) => inner.work(withoutDelay(message), stop),
  };
  return { jobs, sent };
}

function withoutDelay(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || !('delaySeconds' in message)) return message;
  const { delaySeconds: _delay, ...rest } = message;
  return rest;
}

/** As if another worker had claimed the job, until then. */
function claimFor(id: string | undefined, end: string) {
  return database.transaction('claim', signal, (trx) =>
    sql`update jobs set status = 'running', attempts = 1, claimed_until = now() + ${end}::interval
        where id = ${id}`.execute(trx),
  );
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

  it('that cannot be done now is tried again a minute later', async () => {
    let tries = 0;
    const { jobs, sent } = setUp(async () => {
      tries += 1;
      if (tries === 1) throw new AppError('backup_running', 'Another run is alive');
    });
    await jobs.enqueue('test', 'a thing', signal);

    await jobs.work(sent[0], signal);
    const meanwhile = await rowOf(sent[0]?.id);
    await jobs.work(sent[1], signal);

    expect(meanwhile).toMatchObject({ status: 'queued', attempts: 1 });
    expect(sent[1]).toMatchObject({ id: sent[0]?.id, delaySeconds: 60 });
    expect(await rowOf(sent[0]?.id)).toMatchObject({ status: 'succeeded', attempts: 2 });
  });

  it('that another worker holds keeps its message, for when that one may have died', async () => {
    const done: string[] = [];
    const { jobs, sent } = setUp(async (subject) => void done.push(subject));
    await jobs.enqueue('test', 'a thing', signal);

    await claimFor(sent[0]?.id, '1 minute');
    await jobs.work(sent[0], signal);
    const whileHeld = [...done];
    await claimFor(sent[0]?.id, '-1 second');
    await jobs.work(sent[1], signal);

    expect(whileHeld).toEqual([]);
    expect(sent[1]).toMatchObject({ id: sent[0]?.id, delaySeconds: 60 });
    expect(done).toEqual(['a thing']);
    expect(await rowOf(sent[0]?.id)).toMatchObject({ status: 'succeeded', attempts: 2 });
  });

  it('is not noted as done by a worker that has lost it', async () => {
    const { jobs, sent } = setUp(async () => {
      await database.transaction('take over', signal, (trx) =>
        sql`update jobs set attempts = attempts + 1 where subject = 'a contested thing'`.execute(trx),
      );
    });

    await jobs.enqueue('test', 'a contested thing', signal);
    await jobs.work(sent[0], signal);

    expect(await rowOf(sent[0]?.id)).toMatchObject({ status: 'running', attempts: 2 });
  });

  it('whose time is over is noted as failed all the same', async () => {
    const time = new AbortController();
    const { jobs, sent } = setUp(async () => {
      time.abort(Object.assign(new Error('over'), { code: 'deadline_exceeded' }));
      throw time.signal.reason;
    });

    await jobs.enqueue('test', 'a long thing', signal);
    await jobs.work(sent[0], time.signal);

    expect(await rowOf(sent[0]?.id)).toMatchObject({ status: 'failed', error_code: 'deadline_exceeded' });
  });

  it('of a kind that nobody knows is left as it is', async () => {
    const { jobs, sent } = setUp(async () => {});

    await jobs.enqueue('unknown', 'a thing', signal);

    await expect(jobs.work(sent[0], signal)).rejects.toThrow('unknown');
    expect(await rowOf(sent[0]?.id)).toMatchObject({ status: 'queued', attempts: 0 });
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
