import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, sql } from '../../../src/lib/database/index.ts';
import { change, makeJobs, openJobsDatabase, rowOf, signal } from './set-up.ts';

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ database, close } = await openJobsDatabase());
});
afterAll(() => close());
beforeEach(() => database.transaction('empty', signal, (trx) => sql`delete from jobs`.execute(trx)));

const poisonList = { per_page: 200, status: 'poison' as const };

describe('a message that the platform has put aside', () => {
  it('has its job given up, and is removed', async () => {
    const { jobs, enqueue, poisonQueue, counted } = makeJobs(database);
    const message = await enqueue('a thing');
    await poisonQueue.send(JSON.stringify(message), { signal });

    await jobs.collectPoison(signal);

    const { data } = await jobs.list(poisonList, signal);
    expect(data).toEqual([
      {
        id: message.id,
        kind: 'test',
        subject: 'a thing',
        status: 'poison',
        attempts: 0,
        created_at: expect.any(String),
        started_at: null,
        finished_at: expect.any(String),
        error: { code: 'abandoned', message: 'Several times a worker was called, and none ended the job' },
      },
    ]);
    expect(await poisonQueue.approximateLength({ signal })).toBe(0);
    expect(await jobs.poisonCount(signal)).toBe(1);
    expect(await counted()).toEqual({ 'test poison': 1 });
  });

  it('keeps what the last attempt said, where one has spoken', async () => {
    const { jobs, enqueue, poisonQueue } = makeJobs(database);
    const message = await enqueue();
    await change(
      database,
      message.id,
      `error_code = 'unavailable', error_message = 'away', error_detail = 'pool'`,
    );
    await poisonQueue.send(JSON.stringify(message), { signal });

    await jobs.collectPoison(signal);

    expect(await rowOf(database, message.id)).toMatchObject({
      status: 'poison',
      error_code: 'unavailable',
      error_message: 'away',
      error_detail: 'pool',
    });
  });

  it('stays while somebody is on the job, and is looked at again', async () => {
    const { jobs, enqueue, poisonQueue } = makeJobs(database);
    const message = await enqueue();
    await poisonQueue.send(JSON.stringify(message), { signal });
    await change(
      database,
      message.id,
      `status = 'running', attempts = 5, claimed_until = now() + interval '1 minute'`,
    );

    await jobs.collectPoison(signal);

    expect(await rowOf(database, message.id)).toMatchObject({ status: 'running' });
    expect(await poisonQueue.approximateLength({ signal })).toBe(1);
  });

  it('gives a job up whose worker has died', async () => {
    const { jobs, enqueue, poisonQueue } = makeJobs(database);
    const message = await enqueue();
    await poisonQueue.send(JSON.stringify(message), { signal });
    await change(
      database,
      message.id,
      `status = 'running', attempts = 5, claimed_until = now() - interval '1 second'`,
    );

    await jobs.collectPoison(signal);

    expect(await rowOf(database, message.id)).toMatchObject({ status: 'poison', error_code: 'abandoned' });
  });

  it('has no say any more when its job was given up and tried again meanwhile', async () => {
    const { jobs, enqueue, poisonQueue, failing } = makeJobs(database);
    const message = await enqueue();
    await poisonQueue.send(JSON.stringify(message), { signal });
    failing.meanwhile = async () => {
      poisonQueue.reveal();
      await jobs.collectPoison(signal);
      await jobs.retry(message.id, signal);
    };

    await jobs.collectPoison(signal);

    expect(await rowOf(database, message.id)).toMatchObject({ status: 'queued' });
  });

  it('leaves its job to be called again when its reader is cut off', async () => {
    const { jobs, enqueue, poisonQueue, failing, messages } = makeJobs(database);
    const message = await enqueue();
    await poisonQueue.send(JSON.stringify(message), { signal });
    failing.operation = 'give job up';

    await expect(jobs.collectPoison(signal)).rejects.toThrow('no give job up today');
    await change(database, message.id, `queued_at = now() - interval '61 minutes'`);
    await jobs.callAgain(signal);

    expect(messages()).toEqual([message, message]);
  });

  it('changes nothing about a job that is over', async () => {
    const { jobs, enqueue, poisonQueue } = makeJobs(database);
    const message = await enqueue();
    await jobs.work(message, signal);
    await poisonQueue.send(JSON.stringify(message), { signal });

    await jobs.collectPoison(signal);

    expect(await rowOf(database, message.id)).toMatchObject({ status: 'succeeded' });
    expect(await poisonQueue.approximateLength({ signal })).toBe(0);
  });

  it.each([
    ['is no JSON', 'garbage \0 Bearer abcdefghijkl', 'garbage  Bearer [redacted]', 'no_job_message'],
    ['is another JSON', '[1]', '[1]', 'no_job_message'],
    [
      'refers to a job that is not there',
      '{"kind":"test","id":"00000000-0000-4000-8000-000000000000"}',
      '{"kind":"test","id":"00000000-0000-4000-8000-000000000000"}',
      'no_such_job',
    ],
    ['is as long as a message may be', 'x'.repeat(65_536), 'x'.repeat(1_000), 'no_job_message'],
  ])('and %s is kept where people look', async (_, text, subject, code) => {
    const { jobs, poisonQueue, counted } = makeJobs(database);
    await poisonQueue.send(text, { signal });

    await jobs.collectPoison(signal);

    const { data } = await jobs.list(poisonList, signal);
    expect(data).toMatchObject([
      { kind: 'unknown', subject, status: 'poison', attempts: 0, error: { code } },
    ]);
    expect(await poisonQueue.approximateLength({ signal })).toBe(0);
    expect(await counted()).toEqual({ 'unknown poison': 1 });
  });

  it('is kept once when it could not be removed, and comes again', async () => {
    const { jobs, poisonQueue, failing } = makeJobs(database);
    await poisonQueue.send('garbage', { signal });
    failing.delete = new Error('cut off');

    await expect(jobs.collectPoison(signal)).rejects.toThrow('cut off');
    failing.delete = undefined;
    poisonQueue.reveal();
    await jobs.collectPoison(signal);

    expect((await jobs.list(poisonList, signal)).data).toHaveLength(1);
  });

  it('is one of a bounded number that one run takes', async () => {
    const { jobs, poisonQueue } = makeJobs(database);
    for (let n = 0; n < 130; n++) await poisonQueue.send(`garbage ${n}`, { signal });

    await jobs.collectPoison(signal);
    const left = await poisonQueue.approximateLength({ signal });
    await jobs.collectPoison(signal);

    expect(left).toBe(2);
    expect(await jobs.poisonCount(signal)).toBe(130);
  });
});

describe('a job that nobody came for', () => {
  it.each([
    ['waits for an hour', `queued_at = now() - interval '61 minutes'`],
    [
      'has a worker that died an hour ago',
      `queued_at = now() - interval '2 hours', status = 'running', claimed_until = now() - interval '61 minutes'`,
    ],
  ])('and %s gets another call, once an hour', async (_, columns) => {
    const { jobs, enqueue, messages } = makeJobs(database);
    const message = await enqueue();
    await change(database, message.id, columns);

    await jobs.callAgain(signal);
    await jobs.callAgain(signal);

    expect(messages()).toEqual([message, message]);
  });

  it.each([
    ['waits for less', `queued_at = now() - interval '59 minutes'`],
    [
      'is being worked on',
      `queued_at = now() - interval '1 day', status = 'running', claimed_until = now() + interval '1 minute'`,
    ],
    ['is over', `queued_at = now() - interval '1 day', status = 'poison', finished_at = now()`],
  ])('and %s is left alone', async (_, columns) => {
    const { jobs, enqueue, messages } = makeJobs(database);
    const message = await enqueue();
    await change(database, message.id, columns);

    await jobs.callAgain(signal);

    expect(messages()).toHaveLength(1);
  });

  it('gets one call when two ask at the same time', async () => {
    const { jobs, enqueue, messages } = makeJobs(database);
    await change(database, (await enqueue()).id, `queued_at = now() - interval '1 day'`);

    await Promise.all([jobs.callAgain(signal), jobs.callAgain(signal)]);

    expect(messages()).toHaveLength(2);
  });
});

describe('a job that ended', () => {
  it.each([
    ['succeeded', 29, true],
    ['succeeded', 31, false],
    ['failed', 31, false],
    ['poison', 31, true],
    ['poison', 89, true],
    ['poison', 91, false],
  ])('as %s %i days ago is kept: %s', async (status, days, isKept) => {
    const { jobs, enqueue } = makeJobs(database);
    const { id } = await enqueue();
    await change(database, id, `status = '${status}', finished_at = now() - interval '${days} days'`);

    await jobs.removeOld(signal);

    expect((await rowOf(database, id)) !== undefined).toBe(isKept);
  });

  it('is told from one that has not, however old that is', async () => {
    const { jobs, enqueue } = makeJobs(database);
    const { id } = await enqueue();
    await change(
      database,
      id,
      `created_at = now() - interval '1 year', queued_at = now() - interval '1 year'`,
    );

    await jobs.removeOld(signal);

    expect(await rowOf(database, id)).toBeDefined();
  });
});
