import { AppError, type Clock, rejectOnAbort, startLifetime } from '../core/index.ts';
import { type Logger, outsideOfInvocations } from '../observability/index.ts';
import { type CacheKey, isPrefix } from './cache-key.ts';
import type { Region, RegionDeclaration } from './declaration.ts';
import { createFetching, type Fetched } from './fetching.ts';
import { type Entry, type Memory, newEntry } from './memory.ts';
import type { SharedTable } from './shared-table.ts';
import { createSharedValues } from './shared-values.ts';
import type { Tally } from './tally.ts';

interface RegionPorts<V> {
  readonly clock: Clock;
  /** Of the region. */
  readonly logger: Logger;
  readonly table: SharedTable;
  readonly memory: Memory<V>;
  readonly tally: Tally;
}

const defaultTtlMs = 3_600_000;
/** The part of its life that is taken off at random, so that values that were made together do not end together. */
const jitter = 0.1;
/** The last part of its life, in which a value that is asked for is renewed, so that nobody has to wait for it. */
const renewalShare = 0.2;
/** Memory asks the table again after this time: so long may it go unnoticed that a value was taken back elsewhere. */
const sharedMemoryMs = 60_000;

/** Makes a region: memory before the table before the source. */
export function createRegion<V>(declaration: RegionDeclaration<V>, ports: RegionPorts<V>): Region<V> {
  const { ttlMs = defaultTtlMs, exact = false, staleMs = 0 } = declaration;
  const { clock, memory, tally } = ports;
  const shared = declaration.shared
    ? createSharedValues({ ...ports, region: declaration.name, shape: declaration.shape, ttlMs })
    : undefined;
  const memoryLimitMs = declaration.shared ? sharedMemoryMs : Number.POSITIVE_INFINITY;
  const newLifeMs = () => ttlMs * (exact ? 1 : 1 - jitter * clock.random());
  const isSoonOver = (leftMs: number, lifeMs: number) => !exact && leftMs < lifeMs * renewalShare;
  const fetchValue = createFetching({
    ...ports,
    region: declaration.name,
    shared,
    ttlMs,
    staleMs,
    memoryLimitMs,
    newLifeMs,
    isSoonOver,
  });
  /** What is under way. A fetch that is not here any more was overtaken: nobody joins it, and it keeps nothing. */
  const fetches = new Map<CacheKey, { readonly fetched: Promise<Fetched<V>> }>();

  const isPaused = (entry: Entry<V>) => clock.monotonicMs() < entry.pausedUntilMs;
  const takeBackHere = (key: CacheKey) => {
    fetches.delete(key);
    memory.drop(key);
  };

  function fetchOnce(
    key: CacheKey,
    load: (signal: AbortSignal) => Promise<V>,
    isRenewal: boolean,
  ): Promise<Fetched<V>> {
    const running = fetches.get(key);
    if (running) return running.fetched;
    const mayKeep = () => fetches.get(key) === started;
    const fetchNow = () => fetchValue({ key, load, isRenewal, mayKeep });
    // Nobody waits for a renewal; who waits for a value has its making in its own trace.
    const fetched = (isRenewal ? outsideOfInvocations(fetchNow) : fetchNow()).finally(() => {
      if (mayKeep()) fetches.delete(key);
    });
    // It may fail when all who waited have gone.
    fetched.catch(() => {});
    const started = { fetched };
    fetches.set(key, started);
    return fetched;
  }

  async function waitFor(key: CacheKey, fetched: Promise<Fetched<V>>, signal: AbortSignal): Promise<V> {
    try {
      const { value, from } = await rejectOnAbort(fetched, signal);
      if (from === 'table') tally.tableHit();
      else if (from === 'source') tally.miss();
      else tally.stale();
      return value;
    } catch (error) {
      // The source may hang for longer than a caller can wait.
      const old = isTimeUp(error) ? memory.get(key) : undefined;
      if (!old || old.leftMs() <= -staleMs) {
        tally.miss();
        throw error;
      }
      tally.stale();
      return old.value;
    }
  }

  return {
    async get(key, load, signal) {
      signal.throwIfAborted();
      const entry = memory.get(key);
      const leftMs = entry ? entry.leftMs() : Number.NEGATIVE_INFINITY;
      if (!entry || leftMs <= -staleMs) return waitFor(key, fetchOnce(key, load, false), signal);
      if (leftMs > 0) {
        if (isSoonOver(leftMs, entry.lifeMs) && !isPaused(entry)) void fetchOnce(key, load, true);
        tally.hit();
        return entry.value;
      }
      if (!isPaused(entry)) return waitFor(key, fetchOnce(key, load, false), signal);
      tally.stale();
      return entry.value;
    },
    async set(key, value) {
      fetches.delete(key);
      const bornAt = clock.now();
      const lifeMs = newLifeMs();
      memory.keep(
        key,
        newEntry(value, bornAt, startLifetime(clock, bornAt + Math.min(lifeMs, memoryLimitMs))),
      );
      return shared ? shared.put(key, { value, bornAt, lifeMs }) : true;
    },
    async delete(key) {
      takeBackHere(key);
      return shared ? shared.takeBack(key) : true;
    },
    async invalidate(prefix) {
      if (!isPrefix(prefix)) throw new RangeError('The prefix is too long to find keys by it');
      for (const key of [...fetches.keys(), ...memory.keys()]) {
        if (key.startsWith(prefix)) takeBackHere(key);
      }
      return shared ? shared.takeBackAll(prefix) : true;
    },
  };
}

function isTimeUp(error: unknown): boolean {
  return error instanceof AppError && error.code === 'deadline_exceeded';
}
