import { type Clock, linkAbort, rejectOnAbort, singleFlight, startLifetime } from '../core/index.ts';
import { IdentityError } from './identity-error.ts';

/** What an identity hands out. Times are milliseconds since the epoch. */
export interface Token {
  readonly token: string;
  readonly expiresOnTimestamp: number;
  /** When whoever gave it wants to be asked again. */
  readonly refreshAfterTimestamp?: number | undefined;
}

interface TokenCacheOptions {
  readonly clock: Clock;
  /** Asks for a new token. */
  readonly fetch: (scope: string) => Promise<Token>;
  /** Told of a token that could not be renewed while the old one still does. */
  readonly onRefreshFailure: (error: unknown) => void;
}

/** A managed identity answers within a second; on a developer's machine several programs are asked one after another. */
const fetchTimeoutMs = 20_000;
/** A token is renewed this long before its end, unless whoever gave it says otherwise. */
const refreshAheadMs = 5 * 60_000;
/** A token is not given out with less than this to live: it has to reach the service before its end. */
const leastLifeMs = 30_000;
/** Between two tries to renew a token that still does. */
const refreshPauseMs = 30_000;

/**
 * Keeps the token of each scope until shortly before its end. Callers who need a new one at the same time wait for the
 * same request, and none of them can end it for the others. A token is renewed while the old one is still in use, so an
 * outage is not felt before that one ends.
 *
 * @throws IdentityError `identity_unavailable` when the request takes too long; what `fetch` throws
 */
export function createTokenCache(options: TokenCacheOptions): (scope: string) => Promise<string> {
  const scopes = new Map<string, () => Promise<string>>();
  return (scope) => {
    const get = scopes.get(scope) ?? keepToken(scope, options);
    scopes.set(scope, get);
    return get();
  };
}

interface HeldToken {
  readonly text: string;
  readonly leftMs: () => number;
  readonly leftUntilRefreshMs: () => number;
}

function keepToken(scope: string, { clock, fetch, onRefreshFailure }: TokenCacheOptions) {
  let held: HeldToken | undefined;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;

  const hold = (given: Token) => {
    const { token, expiresOnTimestamp, refreshAfterTimestamp } = given;
    held = {
      text: token,
      leftMs: startLifetime(clock, expiresOnTimestamp),
      leftUntilRefreshMs: startLifetime(clock, refreshAfterTimestamp ?? expiresOnTimestamp - refreshAheadMs),
    };
    return token;
  };
  const refresh = singleFlight(async () => hold(await withinTime(clock, fetch(scope))));

  return async (): Promise<string> => {
    if (!held || held.leftMs() < leastLifeMs) return refresh();
    if (held.leftUntilRefreshMs() <= 0 && clock.monotonicMs() >= pausedUntilMs) {
      pausedUntilMs = clock.monotonicMs() + refreshPauseMs;
      refresh().catch(onRefreshFailure);
    }
    return held.text;
  };
}

/** The SDK knows no time limit and hears no abort: a silent endpoint would keep everybody waiting for ever. */
async function withinTime<T>(clock: Clock, work: Promise<T>): Promise<T> {
  using link = linkAbort();
  const timeIsUp = new IdentityError('identity_unavailable', `no token within ${fetchTimeoutMs} ms`);
  const cancel = clock.after(fetchTimeoutMs, () => link.abort(timeIsUp));
  try {
    return await rejectOnAbort(work, link.signal);
  } finally {
    cancel();
  }
}
