import { type CryptoKey, createLocalJWKSet, type JWSHeaderParameters, type LocalJWKSet } from 'jose';
import {
  AppError,
  type Clock,
  rejectOnAbort,
  singleFlight,
  startDeadline,
  startLifetime,
} from '../core/index.ts';

/** One request for a key set. */
export interface KeySetRequest {
  readonly signal: AbortSignal;
  /** Longest time for one try. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

/** Whoever gives out tokens, and shows the keys by which they are checked. */
export interface Issuer {
  /** Asks for the keys, under a policy that retries. */
  fetchKeys(request: KeySetRequest): Promise<{ readonly status: number; readonly body: Uint8Array }>;
  /** Told of each time when they could not be fetched, whether or not old ones still do. */
  onFailure(error: unknown): void;
}

/**
 * Finds the key that the header of a token names; `undefined` when the issuer has none that fits.
 *
 * @throws AppError `unavailable` when the issuer cannot be asked: nobody knows then whether the token is good
 */
export type FindIssuerKey = (
  header: JWSHeaderParameters,
  signal: AbortSignal,
) => Promise<CryptoKey | undefined>;

/** Keys as they were fetched, and when. */
interface HeldKeys {
  readonly find: LocalJWKSet;
  ageMs(): number;
}

/** From this age on keys are fetched again, and nobody waits for it. */
const renewAfterMs = 5 * 60_000;
/**
 * From this age on whoever comes waits for new ones, so that a key that was taken back counts no longer; unless the issuer has
 * failed as recently as that, for in an outage everybody would wait each time it is asked.
 */
const waitAfterMs = 10 * 60_000;
/** While the issuer does not answer the last keys are good for so long. */
const longestMs = 24 * 3_600_000;
/** Between two fetches for keys that nobody knows, and after one that has failed: anybody can make up the id of a key. */
const pauseMs = 30_000;
/** After a fetch that has failed while there are no keys that count, so that not each refused request asks by itself. */
const pauseWithoutKeysMs = 1_000;

/** All tries together. Clients wait for it only where the keys at hand will not do. */
const fetchLimitMs = 10_000;
const tryLimitMs = 5_000;
/** Large issuers show a dozen keys in 20 KB. */
const maxKeySetBytes = 65_536;

/**
 * Keeps the keys of the issuer of tokens (JWK set, RFC 7517 §5). They are fetched at the first token, again every few minutes
 * while tokens come, and when a token names a key that is not among them, which is how issuers change keys. However many
 * wait for it, there is one fetch at a time, and none of them can end it for the others.
 */
export function createIssuerKeys(clock: Clock, issuer: Issuer): FindIssuerKey {
  let held: HeldKeys | undefined;
  /** When the last fetch has failed, if it has. */
  let failedAtMs = Number.NEGATIVE_INFINITY;
  /** When they were last fetched for a key that was not among them. */
  let soughtAtMs = Number.NEGATIVE_INFINITY;
  const hasFailedWithin = (ms: number) => clock.monotonicMs() - failedAtMs < ms;

  const renew = singleFlight(async () => {
    using time = startDeadline(clock, fetchLimitMs);
    const leftMs = startLifetime(clock, clock.now() + longestMs);
    try {
      const request = { signal: time.signal, timeoutMs: tryLimitMs, maxAnswerBytes: maxKeySetBytes };
      const find = readKeySet(await rejectOnAbort(issuer.fetchKeys(request), time.signal));
      held = { find, ageMs: () => longestMs - leftMs() };
      failedAtMs = Number.NEGATIVE_INFINITY;
      return held;
    } catch (error) {
      failedAtMs = clock.monotonicMs();
      issuer.onFailure(error);
      throw unavailable(error);
    }
  });

  /** The keys that count now. */
  async function presentKeys(): Promise<HeldKeys> {
    const known = held;
    if (!known || known.ageMs() >= longestMs) {
      if (hasFailedWithin(pauseWithoutKeysMs)) throw unavailable();
      return renew();
    }
    if (known.ageMs() < renewAfterMs || hasFailedWithin(pauseMs)) return known;
    // Told of by itself.
    const renewed = renew().catch(() => known);
    return known.ageMs() < waitAfterMs || hasFailedWithin(waitAfterMs) ? known : renewed;
  }

  async function find(header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
    const before = held;
    const keys = await presentKeys();
    const key = await findIn(keys, header);
    // What was fetched while it waited is as new as can be.
    if (key || keys !== before) return key;
    if (hasFailedWithin(pauseMs)) throw unavailable();
    if (keys === held && clock.monotonicMs() - soughtAtMs >= pauseMs) {
      await renew();
      soughtAtMs = clock.monotonicMs();
    }
    return held && findIn(held, header);
  }

  return (header, signal) => rejectOnAbort(find(header), signal);
}

/** No key, several, and one that is no key at all are the same: nothing can be proven by it. */
async function findIn(keys: HeldKeys, header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
  try {
    return await keys.find(header);
  } catch {
    return undefined;
  }
}

function readKeySet({ status, body }: { status: number; body: Uint8Array }): LocalJWKSet {
  if (status !== 200) throw new Error(`The issuer of tokens answers ${status} in the place of its keys`);
  return createLocalJWKSet(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)));
}

function unavailable(cause?: unknown): AppError {
  return new AppError('unavailable', 'The issuer of tokens is not available at the moment', { cause });
}
