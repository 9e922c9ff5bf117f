import { type Clock, rejectOnAbort, startDeadline, startLifetime } from '../core/index.ts';
import { type Logger, withSpan } from '../observability/index.ts';
import type { CacheKey } from './cache-key.ts';
import { type Memory, newEntry } from './memory.ts';
import type { Finding, SharedValues } from './shared-values.ts';
import type { Tally } from './tally.ts';

/** A value for those who had to wait for it. */
export interface Fetched<V> {
  readonly value: V;
  readonly from: 'table' | 'source' | 'old';
}

/** One fetch of one key. */
export interface Fetch<V> {
  readonly key: CacheKey;
  load(signal: AbortSignal): Promise<V>;
  /** True when the value in memory does, but not for long. */
  readonly isRenewal: boolean;
  /** False as soon as the key was taken back: what comes then is for those who wait, and is not kept. */
  mayKeep(): boolean;
}

interface FetchingPorts<V> {
  /** Its name. */
  readonly region: string;
  readonly clock: Clock;
  /** Of the region. */
  readonly logger: Logger;
  readonly tally: Tally;
  readonly memory: Memory<V>;
  /** Where other processes find the values, if they may. */
  readonly shared: SharedValues<V> | undefined;
  readonly ttlMs: number;
  readonly staleMs: number;
  /** The longest a value is kept in memory before the table is asked again. */
  readonly memoryLimitMs: number;
  /** How long a new value is to live. */
  readonly newLifeMs: () => number;
  readonly isSoonOver: (leftMs: number, lifeMs: number) => boolean;
}

/** As long as one try of the policies may take; no request should wait longer for a value. */
const loadLimitMs = 30_000;
/** A value that is made more quickly is not worth a round trip to the table. */
const worthSharingMs = 50;
/** In the words of the statistics. What memory answers is no span. */
const outcomes = { table: 'table_hit', source: 'miss', old: 'stale' } as const;
/** Between two tries to make a value whose source has just failed, while there is an old one to give. */
const retryPauseMs = 5_000;

/** Makes the way to a value that memory does not hold: the table, then its source, then what is left of an old one. */
export function createFetching<V>(ports: FetchingPorts<V>): (fetch: Fetch<V>) => Promise<Fetched<V>> {
  const { clock, tally, memory, shared, logger, memoryLimitMs } = ports;

  async function fetchValue(fetch: Fetch<V>): Promise<Fetched<V>> {
    const { key } = fetch;
    const unaskedMs = startLifetime(clock, clock.now() + memoryLimitMs);
    const finding = await shared?.find(key);
    const known = memory.get(key);
    if (known && finding && known.bornAt <= finding.takenBackAt) memory.drop(key);
    const found = finding?.found;
    const isEnough =
      found &&
      // A newer value may have been made too quickly to be shared.
      !(known && found.bornAt < known.bornAt) &&
      !(fetch.isRenewal && ports.isSoonOver(found.leftMs(), ports.ttlMs));
    if (!isEnough) return loadValue(fetch, finding);
    const { value, bornAt, leftMs } = found;
    const leftHereMs = () => Math.min(leftMs(), unaskedMs());
    if (fetch.mayKeep()) memory.keep(key, newEntry(value, bornAt, leftHereMs));
    return { value, from: 'table' };
  }

  async function loadValue(fetch: Fetch<V>, finding: Finding<V> | undefined): Promise<Fetched<V>> {
    const { key } = fetch;
    const bornAt = clock.now();
    const startedMs = clock.monotonicMs();
    const lifeMs = ports.newLifeMs();
    const leftMs = startLifetime(clock, bornAt + Math.min(lifeMs, memoryLimitMs));
    tally.load();
    let value: V;
    try {
      value = await inTime(clock, fetch.load);
    } catch (error) {
      tally.loadFailure();
      return oldValue(key, error);
    }
    if (fetch.mayKeep()) {
      const tookMs = clock.monotonicMs() - startedMs;
      memory.keep(key, newEntry(value, bornAt, leftMs));
      if (tookMs > worthSharingMs) void finding?.fill({ value, bornAt, lifeMs });
    }
    return { value, from: 'source' };
  }

  /** @throws the error that kept a new one from being made, when there is no old one that does */
  function oldValue(key: CacheKey, error: unknown): Fetched<V> {
    const known = memory.get(key);
    if (!known || known.leftMs() <= -ports.staleMs) throw error;
    known.pausedUntilMs = clock.monotonicMs() + retryPauseMs;
    logger.warning('a value could not be made anew, the old one is given out', { error });
    return { value: known.value, from: 'old' };
  }

  /** One span for each fetch, in the trace of whoever came first. Never the key: it may say whose value it is. */
  return (fetch) => {
    const attributes = { 'crownsafe.cache.region': ports.region, 'crownsafe.cache.renewal': fetch.isRenewal };
    return withSpan(`cache ${ports.region}`, attributes, async (span) => {
      const fetched = await fetchValue(fetch);
      span.note({ 'crownsafe.cache.outcome': outcomes[fetched.from] });
      return fetched;
    });
  };
}

/** Loads by a time of its own, whether or not `load` listens to its signal. */
async function inTime<V>(clock: Clock, load: (signal: AbortSignal) => Promise<V>): Promise<V> {
  using deadline = startDeadline(clock, loadLimitMs);
  return await rejectOnAbort(load(deadline.signal), deadline.signal);
}
