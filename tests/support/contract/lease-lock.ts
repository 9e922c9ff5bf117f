import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { LeaseLock } from '../../../src/lib/storage/index.ts';

const { signal } = new AbortController();

/** What every lock does. */
export function describeLeaseLock(adapter: string, lock: LeaseLock): void {
  /** Tries whether a lock is free. */
  const isFree = (name: string) => lock.withLease(name, async () => {}, { signal });

  describe(`${adapter}: lock`, () => {
    it('is held while the work runs, and free when it has ended', async () => {
      const name = randomUUID();
      let freeMeanwhile: boolean | undefined;

      const ran = await lock.withLease(
        name,
        async () => {
          freeMeanwhile = await isFree(name);
        },
        { signal },
      );

      expect([ran, freeMeanwhile, await isFree(name)]).toEqual([true, false, true]);
    });

    it('does not begin work while another holds it', async () => {
      const name = randomUUID();
      let begun = false;

      await lock.withLease(
        name,
        () =>
          lock.withLease(
            name,
            async () => {
              begun = true;
            },
            { signal },
          ),
        { signal },
      );

      expect(begun).toBe(false);
    });

    it.each(['', 'photos/', 'a b/', 'ünïcode ✓ ', '100 %41 ', 'what?#'])(
      'stands for its own name only: %s…',
      async (prefix) => {
        const names = [`${prefix}${randomUUID()}`, `${prefix}${randomUUID()}`] as const;
        let others: readonly boolean[] = [];

        await lock.withLease(
          names[0],
          async () => {
            others = [await isFree(names[0]), await isFree(names[1])];
          },
          { signal },
        );

        expect(others).toEqual([false, true]);
      },
    );

    it('passes on the error of the work, and is free again', async () => {
      const name = randomUUID();

      const failing = lock.withLease(name, () => Promise.reject(new Error('no luck')), { signal });

      await expect(failing).rejects.toThrow('no luck');
      expect(await isFree(name)).toBe(true);
    });

    it('passes on the abort to the work, waits for its end, and is free again', async () => {
      const name = randomUUID();
      const abort = new AbortController();
      let hasEnded = false;

      const aborted = lock.withLease(
        name,
        async (held) => {
          abort.abort(new Error('enough'));
          expect(held.reason).toEqual(new Error('enough'));
          await isFree(randomUUID());
          hasEnded = true;
        },
        { signal: abort.signal },
      );

      await expect(aborted).rejects.toThrow('enough');
      expect(hasEnded).toBe(true);
      expect(await isFree(name)).toBe(true);
    });

    it('begins nothing under a signal that has aborted', async () => {
      const name = randomUUID();
      let begun = false;

      const aborted = lock.withLease(
        name,
        async () => {
          begun = true;
        },
        { signal: AbortSignal.abort(new Error('over')) },
      );

      await expect(aborted).rejects.toThrow('over');
      expect(begun).toBe(false);
      expect(await isFree(name)).toBe(true);
    });

    it('lets twenty through, one after the other', async () => {
      const name = randomUUID();
      const log: string[] = [];
      const inTime = AbortSignal.timeout(25_000);
      const contend = async (contender: number) => {
        const work = async () => {
          log.push(`enter ${contender}`);
          await isFree(randomUUID());
          log.push(`leave ${contender}`);
        };
        // Lets timers fire between tries, or a lock that stays shut would keep the test from ending.
        while (!(await lock.withLease(name, work, { signal: inTime }))) await setImmediate();
      };

      await Promise.all(Array.from({ length: 20 }, (_, contender) => contend(contender)));

      expect(log).toHaveLength(40);
      for (let i = 0; i < log.length; i += 2) expect(log[i + 1]).toBe(log[i]?.replace('enter', 'leave'));
    });
  });
}
