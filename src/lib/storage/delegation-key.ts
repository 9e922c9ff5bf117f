import type { UserDelegationKey } from '@azure/storage-blob';
import {
  AppError,
  type Clock,
  rejectOnAbort,
  singleFlight,
  startDeadline,
  startLifetime,
} from '../core/index.ts';
import type { Call } from './calls.ts';

interface DelegationKeysOptions {
  readonly call: Call;
  readonly clock: Clock;
  /** Asks the service for a key. */
  readonly fetch: (startsOn: Date, expiresOn: Date, abortSignal: AbortSignal) => Promise<UserDelegationKey>;
}

/** The service's limit, for a key and so for the links it signs: https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key */
export const keyLifeMs = 7 * 24 * 60 * 60_000;
/** A key begins this long ago, or the service's clock might not have come that far yet. */
export const skewMs = 15 * 60_000;
/** Fetching a key is bounded by itself: it is shared by callers whose own deadlines differ. */
const fetchTimeoutMs = 45_000;
/** A key is a small answer; all tries of the policy fit into the time above. */
const attemptTimeoutMs = 7_000;

/**
 * Keeps the key by which an identity signs links, and asks for a new one when a link would outlive it: a link dies with
 * the key that has signed it. Callers who need a new one at the same time wait for the same request, and none of them
 * can end it for the others. Who has the key can read everything the identity can; it is never logged.
 *
 * @returns gives a key that outlives `expiresAt` (milliseconds since the epoch); throws AppError `upstream` when the
 *   service gives none that does
 */
export function createDelegationKeys({ call, clock, fetch }: DelegationKeysOptions) {
  let held: { readonly key: UserDelegationKey; readonly leftMs: () => number } | undefined;

  const renew = singleFlight(async () => {
    using deadline = startDeadline(clock, fetchTimeoutMs);
    // The service counts in seconds.
    const startsAt = Math.ceil((clock.now() - skewMs) / 1000) * 1000;
    const key = await call(
      'get user delegation key',
      (abortSignal) => fetch(new Date(startsAt), new Date(startsAt + keyLifeMs), abortSignal),
      { signal: deadline.signal, timeoutMs: attemptTimeoutMs },
    );
    held = { key, leftMs: startLifetime(clock, key.signedExpiresOn.getTime()) };
  });
  const findFor = (expiresAt: number) =>
    held && held.leftMs() >= expiresAt - clock.now() ? held.key : undefined;

  return async (expiresAt: number, signal: AbortSignal): Promise<UserDelegationKey> => {
    // A second time, because the first may have been begun for others, whose links end earlier.
    for (let renewals = 0; renewals <= 2; renewals++) {
      const key = findFor(expiresAt);
      if (key) return key;
      if (renewals < 2) await rejectOnAbort(renew(), signal);
    }
    throw new AppError('upstream', 'The storage service gives no key that lasts as long as the link');
  };
}
