import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bulkhead, createBulkhead } from '../../../src/lib/resilience/bulkhead.ts';

const never = new AbortController().signal;
const full = () => new Error('full');

/** Runs work in a slot, as the guard does. */
async function execute<T>(bulkhead: Bulkhead, fn: () => Promise<T>, signal: AbortSignal): Promise<T> {
  await bulkhead.enter(signal);
  try {
    return await fn();
  } finally {
    bulkhead.leave();
  }
}

describe('createBulkhead', () => {
  it('rejects the call that finds the queue full', async () => {
    const bulkhead = createBulkhead(1, 1, full);
    const gate = Promise.withResolvers<void>();
    const running = execute(bulkhead, () => gate.promise, never);
    const waiting = execute(bulkhead, async () => 'second', never);

    const third = await execute(bulkhead, async () => 'third', never).catch((error: unknown) => error);
    gate.resolve();

    expect(third).toEqual(new Error('full'));
    await running;
    expect(await waiting).toBe('second');
  });

  it('lets go of a waiting call as soon as its signal aborts, and never runs it', async () => {
    const bulkhead = createBulkhead(1, 5, full);
    const gate = Promise.withResolvers<void>();
    const running = execute(bulkhead, () => gate.promise, never);
    const abort = new AbortController();
    let ran = false;
    const waiting = execute(
      bulkhead,
      async () => {
        ran = true;
      },
      abort.signal,
    );

    abort.abort(new Error('enough'));

    await expect(waiting).rejects.toThrow('enough');
    gate.resolve();
    await running;
    expect(await execute(bulkhead, async () => 'next', never)).toBe('next');
    expect(ran).toBe(false);
  });

  it('has no limit with a size of zero', async () => {
    const bulkhead = createBulkhead(0, 0, full);

    const results = await Promise.all(
      Array.from({ length: 200 }, (_, i) => execute(bulkhead, async () => i, never)),
    );

    expect(results).toHaveLength(200);
  });

  it('runs no more than its size at a time, and everything in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        async (size, calls) => {
          const bulkhead = createBulkhead(size, 30, full);
          let running = 0;
          let most = 0;

          const results = await Promise.allSettled(
            calls.map((works) =>
              execute(
                bulkhead,
                async () => {
                  most = Math.max(most, ++running);
                  await Promise.resolve();
                  running--;
                  if (!works) throw new Error('failed');
                },
                never,
              ),
            ),
          );

          expect(most).toBeLessThanOrEqual(size);
          expect(results.map((result) => result.status === 'fulfilled')).toEqual(calls);
        },
      ),
    );
  });
});
