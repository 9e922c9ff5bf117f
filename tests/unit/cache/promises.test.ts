import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cacheKey } from '../../../src/lib/cache/index.ts';
import type { CacheTable } from '../../../src/lib/cache/shared-table.ts';
import { sleep } from '../../../src/lib/core/index.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';
import { minuteMs, signal, startProcess } from './set-up.ts';

/* What a region promises, against any order of events. */

const names = ['a', 'b'] as const;
const key = fc.constantFrom(...names).map((name) => cacheKey('k', name));

it('gives what a map would give, as long as nothing ends and nothing is forgotten', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('get' as const), key }),
    fc.record({ kind: fc.constant('set' as const), key, value: fc.string() }),
    fc.record({ kind: fc.constant('delete' as const), key }),
    fc.record({
      kind: fc.constant('invalidate' as const),
      key: fc.constantFrom(cacheKey('k'), cacheKey('x')),
    }),
  );

  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, shared) => {
      const { region, clock } = startProcess({ declaration: { shared } });
      const map = new Map<string, string>();
      let made = 0;
      for (const { kind, key, ...rest } of steps) {
        if (kind === 'get') {
          const expected = map.get(key) ?? `made ${made + 1}`;
          const given = region.get(key, async () => `made ${++made}`, signal);
          await clock.advance(0);
          map.set(key, expected);
          expect(await given).toBe(expected);
        } else if (kind === 'set') {
          const { value = '' } = rest as { value?: string };
          await region.set(key, value);
          map.set(key, value);
        } else {
          await region[kind](key);
          for (const known of [...map.keys()]) if (known.startsWith(key)) map.delete(known);
        }
      }
    }),
  );
});

/** How long each call to the table takes: some on the way there, some on the way back. */
const delays = fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { minLength: 1, maxLength: 20 });
/** A write takes so long at most: it waits for another, reads, and writes again when somebody was quicker. */
const writeMs = 2_000;

/** A table whose calls overtake one another. */
function slowTable(clock: FakeClock, tableMs: readonly (readonly [number, number])[]): CacheTable {
  const table = memoryTableStore();
  let calls = 0;
  const slowly =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
    async (...args: Args) => {
      const [thereMs, backMs] = tableMs[calls++ % tableMs.length] ?? [0, 0];
      await sleep(clock, thereMs);
      const result = await call(...args);
      await sleep(clock, backMs);
      return result;
    };
  return {
    get: slowly(table.get),
    insert: slowly(table.insert),
    replace: slowly(table.replace),
    query: table.query,
  };
}

it('gives no value that was taken back here before the question, or elsewhere a minute before it', async () => {
  const process = fc.constantFrom(0, 1);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), process }),
    fc.record({ kind: fc.constant('change' as const), process, by: fc.constantFrom('delete', 'set') }),
    fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 60, 30_000, 50_000, minuteMs, 280_000),
    }),
  );

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), delays, async (steps, tableMs) => {
      const clock = fakeClock();
      const table = slowTable(clock, tableMs);
      const declaration = { ttlMs: 5 * minuteMs };
      const processes = [
        startProcess({ clock, table, declaration }),
        startProcess({ clock, table, declaration }),
      ];
      /** The version the source has, and when each process took older ones back. */
      let version = 1;
      const changes: { version: number; process: number; at: number }[] = [];
      const load = async (loadSignal: AbortSignal) => {
        const read = String(version);
        await sleep(clock, 80, loadSignal);
        return read;
      };
      const answers: Promise<void>[] = [];
      for (const one of steps) {
        if (one.kind === 'wait') await clock.advance(one.ms);
        else if (one.kind === 'change') {
          version += 1;
          changes.push({ version, process: one.process, at: clock.monotonicMs() });
          const region = processes[one.process]?.region;
          void (one.by === 'set'
            ? region?.set(cacheKey('k'), String(version))
            : region?.delete(cacheKey('k')));
          // Nobody can tell which of two processes was first in one millisecond.
          await clock.advance(1);
        } else {
          const known = changes.filter(
            ({ process, at }) => process === one.process || clock.monotonicMs() - at >= minuteMs + writeMs,
          );
          const oldest = Math.max(1, ...known.map((change) => change.version));
          const asked = processes[one.process]?.region.get(cacheKey('k'), load, signal);
          answers.push(
            Promise.resolve(asked).then((text) => expect(Number(text)).toBeGreaterThanOrEqual(oldest)),
          );
        }
      }
      await clock.advance(5_000);
      await Promise.all(answers);
    }),
    { numRuns: 500 },
  );
});
