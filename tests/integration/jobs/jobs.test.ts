import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import type { Database } from '../../../src/lib/database/index.ts';
import { change, makeJobs, openJobsDatabase, rowOf, signal } from './set-up.ts';

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ database, close } = await openJobsDatabase());
});
afterAll(() => close());

describe('a job', () => {
  it('is done by the worker that gets its message', async () => {
    const done: string[] = [];
    const { jobs, enqueue, counted } = makeJobs(database, async (subject) => void done.push(subject));

    const message = await enqueue('a thing');
    await jobs.work(message, signal);

    expect(done).toEqual(['a thing']);
    expect(await rowOf(database, message.id)).toMatchObject({
      status: 'succeeded',
      attempts: 1,
      error_code: null,
      started_at: expect.any(Date),
      finished_at: expect.any(Date),
    });
    expect(await counted()).toEqual({ 'test succeeded': 1 });
  });

  it('is done once, however often its message comes, also at the same time', async () => {
    let done = 0;
    const { jobs, enqueue, counted } = makeJobs(database, async () => {
      done += 1;
    });

    const message = await enqueue();
    await Promise.all(Array.from({ length: 8 }, () => jobs.work(message, signal)));
    await jobs.work(message, signal);

    expect(done).toBe(1);
    expect(await counted()).toEqual({ 'test succeeded': 1 });
  });

  it('that fails is noted as failed with what went wrong, and its message is done with', async () => {
    const { jobs, enqueue, counted } = makeJobs(database, () =>
      Promise.reject(
        Object.assign(new Error('no'), { code: 'engine_broke', cause: new Error('Password=hunter2;') }),
      ),
    );

    const message = await enqueue();
    await jobs.work(message, signal);

    expect(await rowOf(database, message.id)).toMatchObject({
      status: 'failed',
      error_code: 'engine_broke',
      error_message: 'Something went wrong here; the log says what',
      error_detail: 'Error no: Error Password=[redacted];',
    });
    expect(await counted()).toEqual({ 'test failed': 1 });
  });

  it('that cannot be done now is tried again a minute later', async () => {
    let tries = 0;
    const { jobs, enqueue, queue, messages, counted } = makeJobs(database, async () => {
      tries += 1;
      if (tries === 1) throw new AppError('backup_running', 'Another run is alive');
    });
    const message = await enqueue();

    await jobs.work(message, signal);
    const meanwhile = await rowOf(database, message.id);
    await jobs.work(messages()[1], signal);

    expect(meanwhile).toMatchObject({
      status: 'queued',
      attempts: 1,
      error_code: 'backup_running',
      error_message: 'Another run is alive',
    });
    expect(messages()[1]).toEqual(message);
    expect(queue.sent[1]?.visibilityDelaySeconds).toBe(60);
    expect(await rowOf(database, message.id)).toMatchObject({
      status: 'succeeded',
      attempts: 2,
      error_code: null,
      error_message: null,
      error_detail: null,
    });
    expect(await counted()).toEqual({ 'test put_back': 1, 'test succeeded': 1 });
  });

  it('that cannot be done now is given up after ten attempts', async () => {
    const { jobs, enqueue, queue, counted } = makeJobs(database, () =>
      Promise.reject(new AppError('unavailable', 'The storage is away')),
    );
    const message = await enqueue();

    for (let attempt = 1; attempt <= 10; attempt++) await jobs.work(message, signal);
    await jobs.work(message, signal);

    expect(await rowOf(database, message.id)).toMatchObject({
      status: 'poison',
      attempts: 10,
      error_code: 'unavailable',
      error_message: 'The storage is away',
    });
    expect(queue.sent).toHaveLength(10);
    expect(await counted()).toEqual({ 'test put_back': 9, 'test poison': 1 });
  });

  it('that another worker holds keeps its message, for when that one may have died', async () => {
    const done: string[] = [];
    const { jobs, enqueue, queue, messages } = makeJobs(database, async (subject) => void done.push(subject));
    const message = await enqueue('a thing');

    await change(
      database,
      message.id,
      `status = 'running', attempts = 1, claimed_until = now() + interval '1 minute'`,
    );
    await jobs.work(message, signal);
    const whileHeld = [...done];
    await change(database, message.id, `claimed_until = now() - interval '1 second'`);
    await jobs.work(messages()[1], signal);

    expect(whileHeld).toEqual([]);
    expect(messages()[1]).toEqual(message);
    expect(queue.sent[1]?.visibilityDelaySeconds).toBe(60);
    expect(done).toEqual(['a thing']);
    expect(await rowOf(database, message.id)).toMatchObject({ status: 'succeeded', attempts: 2 });
  });

  it('that ends every worker it gets is given up, instead of ending the next one', async () => {
    const { jobs, enqueue, counted } = makeJobs(database, async () => expect.unreachable());
    const message = await enqueue();

    await change(
      database,
      message.id,
      `status = 'running', attempts = 10, claimed_until = now() - interval '1 second', error_code = 'unavailable', error_detail = 'of the ninth'`,
    );
    await jobs.work(message, signal);

    expect(await rowOf(database, message.id)).toMatchObject({
      status: 'poison',
      attempts: 10,
      error_code: 'abandoned',
      error_detail: null,
    });
    expect(await counted()).toEqual({ 'test poison': 1 });
  });

  it('is finished by a second worker when the first one dies, and noted by that one only', async () => {
    const died = Promise.withResolvers<void>();
    const first = makeJobs(database, () => died.promise);
    const second = makeJobs(database);
    const message = await first.enqueue();

    const dying = first.jobs.work(message, signal);
    await expect.poll(() => rowOf(database, message.id)).toMatchObject({ status: 'running' });
    await second.jobs.work(message, signal);
    const whileAlive = await rowOf(database, message.id);
    await change(database, message.id, `claimed_until = now() - interval '1 second'`);
    await second.jobs.work(message, signal);
    died.reject(new Error('a late word of the first'));
    await dying;

    expect(whileAlive).toMatchObject({ status: 'running', attempts: 1 });
    expect(second.lines).toContain('another worker is on the job');
    expect([await first.counted(), await second.counted()]).toEqual([{}, { 'test succeeded': 1 }]);
    expect(await rowOf(database, message.id)).toMatchObject({
      status: 'succeeded',
      attempts: 2,
      error_code: null,
    });
  });

  it('that was given up meanwhile and called for again is not put back by its late worker', async () => {
    const late = Promise.withResolvers<void>();
    const { jobs, enqueue, queue, lines } = makeJobs(database, () => late.promise);
    const message = await enqueue();

    const working = jobs.work(message, signal);
    await expect.poll(() => rowOf(database, message.id)).toMatchObject({ status: 'running' });
    await change(database, message.id, `status = 'poison', claimed_until = null, finished_at = now()`);
    late.reject(new AppError('unavailable', 'The storage is away'));
    await working;

    expect(await rowOf(database, message.id)).toMatchObject({ status: 'poison', error_code: null });
    expect(queue.sent).toHaveLength(1);
    expect(lines.at(-1)).toBe('the outcome is not noted: the job has gone to somebody else');
  });

  it('whose time is over is noted as failed all the same', async () => {
    const time = new AbortController();
    const { jobs, enqueue } = makeJobs(database, async () => {
      time.abort(Object.assign(new Error('over'), { code: 'deadline_exceeded' }));
      throw time.signal.reason;
    });

    const message = await enqueue();
    await jobs.work(message, time.signal);

    expect(await rowOf(database, message.id)).toMatchObject({
      status: 'failed',
      error_code: 'deadline_exceeded',
    });
  });

  it('that is cut off because the process stops waits for another worker', async () => {
    const process = new AbortController();
    const { jobs, enqueue, queue } = makeJobs(database, async (_, stop) => {
      process.abort(new AppError('unavailable', 'This instance is being stopped'));
      throw stop.reason;
    });

    const message = await enqueue();
    await jobs.work(message, process.signal);

    expect(await rowOf(database, message.id)).toMatchObject({ status: 'queued', claimed_until: null });
    expect(queue.sent).toHaveLength(2);
  });

  it.each(['unknown', 'constructor', '__proto__'])(
    'of the kind %s, which nobody knows, is left as it is',
    async (kind) => {
      const { jobs, enqueue } = makeJobs(database);

      const message = await enqueue('a thing', kind);

      await expect(jobs.work(message, signal)).rejects.toThrow(kind);
      expect(await rowOf(database, message.id)).toMatchObject({ status: 'queued', attempts: 0 });
    },
  );

  it('whose worker cannot be called is noted as failed', async () => {
    const { jobs, failing } = makeJobs(database);
    failing.send = new AppError('unavailable', 'The queue is away');

    await expect(jobs.enqueue('test', 'never sent', signal)).rejects.toThrow('The queue is away');

    const { data } = await jobs.list({ per_page: 200, status: 'failed' }, signal);
    expect(data.filter(({ subject }) => subject === 'never sent')).toMatchObject([
      { status: 'failed', error: { code: 'not_sent', message: 'The queue is away' } },
    ]);
  });

  it('whose worker cannot be called stays queued when that cannot be noted either', async () => {
    const { jobs, failing, lines } = makeJobs(database);
    failing.send = new Error('The queue is away');
    failing.operation = 'finish job';

    await expect(jobs.enqueue('test', 'never noted', signal)).rejects.toThrow('The queue is away');

    const { data } = await jobs.list({ per_page: 200, status: 'queued' }, signal);
    expect(data.filter(({ subject }) => subject === 'never noted')).toHaveLength(1);
    expect(lines).toEqual(['a job that was not sent could not be noted as failed']);
  });

  it.each([undefined, 'text', {}, { kind: 'test', id: 'x' }])(
    'is not made of the message %j, which comes again until it is put aside',
    async (message) => {
      const { jobs } = makeJobs(database);

      await expect(jobs.work(message, signal)).rejects.toThrow();
    },
  );
});
