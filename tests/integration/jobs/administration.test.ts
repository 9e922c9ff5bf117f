import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { type Database, sql } from '../../../src/lib/database/index.ts';
import { change, makeJobs, openJobsDatabase, rowOf, signal } from './set-up.ts';

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ database, close } = await openJobsDatabase());
});
afterAll(() => close());
beforeEach(() => database.transaction('empty', signal, (trx) => sql`delete from jobs`.execute(trx)));

describe('the list of jobs', () => {
  it('is the newest first, page by page, of one status where one is asked for', async () => {
    const { jobs, enqueue } = makeJobs(database);
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      const { id } = await enqueue(`thing ${n}`);
      // Two at the same moment: their order is that of their ids.
      await change(database, id, `created_at = '2026-01-0${Math.ceil((n + 1) / 2)}'`);
      ids.push(id);
    }
    await change(
      database,
      ids[0] ?? '',
      `status = 'failed', finished_at = now(), error_code = 'old_version'`,
    );

    const seen: string[] = [];
    let page = await jobs.list({ per_page: 2 }, signal);
    const { total } = page;
    for (;;) {
      seen.push(...page.data.map(({ id }) => id));
      if (page.next_cursor === null) break;
      page = await jobs.list({ per_page: 2, cursor: page.next_cursor }, signal);
    }
    const failed = await jobs.list({ per_page: 2, status: 'failed' }, signal);
    const second = await jobs.list({ per_page: 2, page: 2 }, signal);

    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(seen[0]).toBe(ids[4]);
    expect([total, failed.total, failed.next_cursor]).toEqual([5, 1, null]);
    expect(failed.data).toMatchObject([
      { id: ids[0], error: { code: 'old_version', message: 'old_version' } },
    ]);
    expect(second.data.map(({ id }) => id)).toEqual(seen.slice(2, 4));
  });

  it('refuses the cursor of another status', async () => {
    const { jobs, enqueue } = makeJobs(database);
    for (let n = 0; n < 2; n++) await enqueue();
    const { next_cursor: cursor } = await jobs.list({ per_page: 1 }, signal);

    const listing = jobs.list({ per_page: 1, status: 'queued', cursor: cursor ?? '' }, signal);

    await expect(listing).rejects.toMatchObject({ code: 'validation_failed' });
  });
});

describe('a job that is asked for', () => {
  it('is shown without what only operators may read', async () => {
    const { jobs, enqueue } = makeJobs(database, () => Promise.reject(new Error('host db.internal')));
    const message = await enqueue('a thing');
    await jobs.work(message, signal);

    const job = await jobs.get(message.id, signal);

    expect(job).toEqual({
      id: message.id,
      kind: 'test',
      subject: 'a thing',
      status: 'failed',
      attempts: 1,
      created_at: expect.any(String),
      started_at: expect.any(String),
      finished_at: expect.any(String),
      error: { code: 'internal', message: 'Something went wrong here; the log says what' },
    });
  });

  it('tells operators more', async () => {
    const { jobs, enqueue } = makeJobs(database, () => Promise.reject(new Error('host db.internal')));
    const message = await enqueue();
    const before = await jobs.errorDetail(message.id, signal);
    await jobs.work(message, signal);

    expect([before, await jobs.errorDetail(message.id, signal)]).toEqual([
      undefined,
      'Error host db.internal',
    ]);
  });

  it('is not found when it is not there', async () => {
    const { jobs } = makeJobs(database);

    await expect(jobs.get(randomUUID(), signal)).rejects.toMatchObject({ code: 'not_found' });
    await expect(jobs.errorDetail(randomUUID(), signal)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('trying a job again', () => {
  it.each(['failed', 'poison'])('that was %s does it, with as many attempts as at first', async (status) => {
    const done: string[] = [];
    const { jobs, enqueue, messages, audited } = makeJobs(
      database,
      async (subject) => void done.push(subject),
    );
    const { id } = await enqueue('a thing');
    await change(
      database,
      id,
      `status = '${status}', finished_at = now(), attempts = 10, error_code = 'unavailable'`,
    );

    const queued = await jobs.retry(id, signal);
    const row = await rowOf(database, id);
    await jobs.work(messages()[1], signal);

    expect(queued).toMatchObject({ id, status: 'queued', attempts: 10, finished_at: null });
    expect(row).toMatchObject({ max_attempts: 20 });
    expect(done).toEqual(['a thing']);
    expect(audited).toEqual([
      {
        action: 'job.retry',
        object: { type: 'job', id },
        before: { status, max_attempts: 10 },
        after: { status: 'queued', max_attempts: 20 },
      },
    ]);
    expect(await jobs.get(id, signal)).toMatchObject({ status: 'succeeded', attempts: 11 });
  });

  it('is done once when two ask at the same time', async () => {
    const { jobs, enqueue, messages } = makeJobs(database);
    const { id } = await enqueue();
    await change(database, id, `status = 'failed', finished_at = now()`);

    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => jobs.retry(id, signal)));

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'job_not_retriable' });
    expect(messages()).toHaveLength(2);
  });

  it.each([
    ['queued', `queued_at = now()`],
    ['running', `status = 'running', claimed_until = now()`],
    ['succeeded', `status = 'succeeded', finished_at = now()`],
  ])('is refused while it is %s', async (status, columns) => {
    const { jobs, enqueue } = makeJobs(database);
    const { id } = await enqueue();
    await change(database, id, columns);

    const retrying = jobs.retry(id, signal);

    await expect(retrying).rejects.toMatchObject({
      code: 'job_not_retriable',
      status: 409,
      message: `The job is ${status}`,
    });
  });

  it('is refused for a message that is no job, and for one that is not there', async () => {
    const { jobs, poisonQueue, messages } = makeJobs(database);
    await poisonQueue.send('garbage', { signal });
    await jobs.collectPoison(signal);
    const { data } = await jobs.list({ per_page: 1 }, signal);

    await expect(jobs.retry(data[0]?.id ?? '', signal)).rejects.toMatchObject({ code: 'job_not_retriable' });
    await expect(jobs.retry(randomUUID(), signal)).rejects.toMatchObject({ code: 'not_found' });
    expect(messages()).toEqual([]);
  });

  it('can be asked for again when the worker could not be called', async () => {
    const { jobs, enqueue, failing } = makeJobs(database);
    const { id } = await enqueue();
    await change(
      database,
      id,
      `status = 'poison', finished_at = '2026-01-01', attempts = 10, error_code = 'unavailable'`,
    );
    const before = await rowOf(database, id);
    failing.send = new AppError('unavailable', 'The queue is away');

    await expect(jobs.retry(id, signal)).rejects.toThrow('The queue is away');
    const after = await rowOf(database, id);
    failing.send = undefined;

    expect(after).toEqual({ ...before, queued_at: expect.any(Date) });
    expect(await jobs.retry(id, signal)).toMatchObject({ status: 'queued' });
  });

  it('is done within the hour when neither the worker could be called nor the job given back', async () => {
    const { jobs, enqueue, failing, lines, messages } = makeJobs(database);
    const { id } = await enqueue();
    await change(database, id, `status = 'failed', finished_at = now()`);
    failing.send = new Error('The queue is away');
    failing.operation = 'give retried job back';

    await expect(jobs.retry(id, signal)).rejects.toThrow('The queue is away');
    failing.send = undefined;
    await change(database, id, `queued_at = now() - interval '61 minutes'`);
    await jobs.callAgain(signal);

    expect(lines[0]).toBe('a job that was not sent could not be given back');
    expect(messages()).toHaveLength(2);
    expect(await jobs.get(id, signal)).toMatchObject({ status: 'queued' });
  });
});
