import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Leases } from '../../../src/lib/storage/lease-lock.ts';

const { signal } = new AbortController();

/** What everything that grants leases does. `leaseMs` is how long they last. */
export function describeLeases(adapter: string, leases: Leases, leaseMs: number): void {
  describe(`${adapter}: leases`, () => {
    it('are one at a time, under the id of whoever came first', async () => {
      const [name, first, second] = [randomUUID(), randomUUID(), randomUUID()];

      const life = await leases.acquire(name, first, signal);
      const others = await leases.acquire(name, second, signal);

      expect(life?.()).toBeGreaterThan(leaseMs - 10_000);
      expect(life?.()).toBeLessThanOrEqual(leaseMs);
      expect(others).toBeUndefined();
    });

    it('are granted to one of many who ask at the same time', async () => {
      const name = randomUUID();

      const lives = await Promise.all(
        Array.from({ length: 20 }, () => leases.acquire(name, randomUUID(), signal)),
      );

      expect(lives.filter((life) => life !== undefined)).toHaveLength(1);
    });

    it('are granted again to their holder, as after an answer that was lost', async () => {
      const [name, id] = [randomUUID(), randomUUID()];
      await leases.acquire(name, id, signal);

      const again = await leases.acquire(name, id, signal);

      expect(again?.()).toBeGreaterThan(leaseMs - 10_000);
    });

    it('are renewed for their holder only', async () => {
      const [name, id] = [randomUUID(), randomUUID()];
      await leases.acquire(name, id, signal);

      expect((await leases.renew(name, id, signal))?.()).toBeGreaterThan(leaseMs - 10_000);
      expect(await leases.renew(name, randomUUID(), signal)).toBeUndefined();
      expect(await leases.renew(randomUUID(), id, signal)).toBeUndefined();
    });

    it('are free once their holder releases them, and nobody else can', async () => {
      const [name, first, second] = [randomUUID(), randomUUID(), randomUUID()];
      await leases.acquire(name, first, signal);

      await leases.release(name, second, signal);
      const stillHeld = await leases.acquire(name, second, signal);
      await leases.release(name, first, signal);
      const gone = await leases.renew(name, first, signal);
      const free = await leases.acquire(name, second, signal);

      expect([stillHeld, gone]).toEqual([undefined, undefined]);
      expect(free?.()).toBeGreaterThan(0);
    });

    it('may be released twice, and where there is none', async () => {
      const [name, id] = [randomUUID(), randomUUID()];
      await leases.acquire(name, id, signal);

      await leases.release(name, id, signal);
      await leases.release(name, id, signal);
      await leases.release(randomUUID(), id, signal);

      expect(await leases.acquire(name, randomUUID(), signal)).toBeDefined();
    });
  });
}
