import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../src/lib/database/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { change, makeJobs, openJobsDatabase, rowOf, signal } from './set-up.ts';

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ database, close } = await openJobsDatabase());
});
afterAll(() => close());

const beatMs = 30_000;

/** A job that runs until it is told to end or its signal aborts. */
async function startJob() {
  const clock = fakeClock();
  const over = Promise.withResolvers<void>();
  const made = makeJobs(
    database,
    (_, stop) => {
      stop.addEventListener('abort', () => over.reject(stop.reason));
      return over.promise;
    },
    clock,
  );
  const { id } = await made.enqueue();
  const working = made.jobs.work({ kind: 'test', id }, signal);
  await expect.poll(() => rowOf(database, id)).toMatchObject({ status: 'running' });
  const secondsLeft = async () => {
    const row = await rowOf(database, id);
    return ((row?.claimed_until?.getTime() ?? 0) - Date.now()) / 1000;
  };
  return { ...made, clock, id, over, working, secondsLeft };
}

it('a job keeps its claim while it runs, every half minute, and lets go when it ends', async () => {
  const { clock, id, over, working, secondsLeft } = await startJob();
  await change(database, id, `claimed_until = now() + interval '1 second'`);

  await clock.advance(beatMs);
  await expect.poll(secondsLeft).toBeGreaterThan(110);
  await change(database, id, `claimed_until = now() + interval '1 second'`);
  await clock.advance(beatMs);
  await expect.poll(secondsLeft).toBeGreaterThan(110);
  over.resolve();
  await working;

  expect(await rowOf(database, id)).toMatchObject({ status: 'succeeded', claimed_until: null });
  expect(clock.timers).toBe(0);
});

it('a job goes on when a beat fails, and the next one makes up for it', async () => {
  const { clock, failing, id, lines, over, working, secondsLeft } = await startJob();
  await change(database, id, `claimed_until = now() + interval '60 seconds'`);
  failing.operation = 'keep job';

  await clock.advance(beatMs);
  await expect.poll(() => lines).toContain('the claim on a job could not be renewed');
  failing.operation = undefined;
  await clock.advance(beatMs);
  await expect.poll(secondsLeft).toBeGreaterThan(110);
  over.resolve();
  await working;

  expect(await rowOf(database, id)).toMatchObject({ status: 'succeeded' });
});

it.each([false, true])(
  "a job ends before its claim can be another worker's, when the beats are of no avail (they hang: %s)",
  async (hangs) => {
    const { clock, failing, id, over, queue, working } = await startJob();
    const ended = over.promise.catch((error: unknown) => ({ error, afterMs: clock.monotonicMs() }));
    Object.assign(failing, { operation: 'keep job', hangs });

    await clock.advance(120_000);
    await working;

    const { error, afterMs } = (await ended) as { error: unknown; afterMs: number };
    expect(error).toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect(afterMs).toBe(105_000);
    expect(await rowOf(database, id)).toMatchObject({ status: 'queued', error_code: 'unavailable' });
    expect(queue.sent.at(-1)).toMatchObject({ visibilityDelaySeconds: 60 });
    expect(clock.timers).toBe(0);
  },
);

it('a job ends in time also after a beat that did work', async () => {
  const { clock, failing, over, working, secondsLeft, id } = await startJob();
  const ended = over.promise.catch(() => clock.monotonicMs());
  await change(database, id, `claimed_until = now() + interval '1 second'`);
  await clock.advance(beatMs);
  await expect.poll(secondsLeft).toBeGreaterThan(110);
  // The next beat waits, so this one is over.
  await expect.poll(() => clock.timers).toBe(2);
  failing.operation = 'keep job';

  await clock.advance(104_999);
  expect(clock.timers).toBeGreaterThan(0);
  await clock.advance(1);
  await working;

  expect(await ended).toBe(beatMs + 105_000);
});

it('a job that was told to end keeps its claim until it has', async () => {
  const clock = fakeClock();
  const over = Promise.withResolvers<void>();
  const { jobs, enqueue } = makeJobs(database, () => over.promise, clock);
  const told = new AbortController();
  const { id } = await enqueue();
  const working = jobs.work({ kind: 'test', id }, told.signal);
  await expect.poll(() => rowOf(database, id)).toMatchObject({ status: 'running' });
  await change(database, id, `claimed_until = now() + interval '1 second'`);

  told.abort(new Error('time is over'));
  await clock.advance(beatMs);

  const secondsLeft = async () => ((await rowOf(database, id))?.claimed_until?.getTime() ?? 0) - Date.now();
  await expect.poll(secondsLeft).toBeGreaterThan(110_000);
  over.resolve();
  await working;
});

it('a job ends when another worker has taken it over, and says nothing of it any more', async () => {
  const { clock, id, working } = await startJob();
  await change(database, id, 'attempts = attempts + 1');

  await clock.advance(beatMs);
  await working;

  expect(await rowOf(database, id)).toMatchObject({ status: 'running', attempts: 2, error_code: null });
  expect(clock.timers).toBe(0);
});
