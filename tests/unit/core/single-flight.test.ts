import { expect, it, vi } from 'vitest';
import { singleFlight } from '../../../src/lib/core/index.ts';

it('runs the work once for all who ask while it runs', async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const work = vi.fn(() => promise);
  const get = singleFlight(work);

  const answers = Promise.all(Array.from({ length: 1_000 }, get));
  resolve(7);

  expect(new Set(await answers)).toEqual(new Set([7]));
  expect(work).toHaveBeenCalledTimes(1);
});

it('runs it again for who comes later', async () => {
  let runs = 0;
  const get = singleFlight(async () => ++runs);

  expect([await get(), await get()]).toEqual([1, 2]);
});

it('tells all of a failure, and tries again for the next', async () => {
  let runs = 0;
  const get = singleFlight(async () => {
    if (++runs === 1) throw new Error('broken');
    return runs;
  });

  const first = await Promise.allSettled([get(), get()]);

  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await get()).toBe(2);
});
