import { AppError, type Clock } from '../core/index.ts';
import { parseApiKey } from './api-keys.ts';
import type { Keyring } from './derived-keys.ts';
import type { Caller, Scope } from './scopes.ts';

/** An API key as it is kept, with the projects of its owner. */
export interface StoredApiKey {
  readonly hash: Uint8Array;
  readonly scopes: readonly Scope[];
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly projectIds: readonly string[];
}

interface AuthenticatorPorts {
  readonly clock: Clock;
  readonly keyring: Keyring;
  findApiKey(id: string, signal: AbortSignal): Promise<StoredApiKey | undefined>;
}

/** The credential headers of a request, as they came over the wire. */
export interface Credentials {
  readonly apiKey: string | undefined;
  readonly authorization: string | undefined;
}

/**
 * Finds out who is calling.
 *
 * @throws AppError `unauthorized` for a missing or bad credential, always with the same words, so that nobody
 *   learns which part was wrong
 */
export type Authenticate = (credentials: Credentials, signal: AbortSignal) => Promise<Caller>;

/** Makes the authenticator. */
export function createAuthenticator({ clock, keyring, findApiKey }: AuthenticatorPorts): Authenticate {
  return async ({ apiKey, authorization }, signal) => {
    if (apiKey === undefined) {
      throw unauthorized(
        authorization === undefined ? 'Send an API key in x-api-key' : 'This scheme is not accepted',
      );
    }
    const parsed = parseApiKey(apiKey);
    const stored = parsed && (await findApiKey(parsed.id, signal));
    if (!parsed || !stored) throw unauthorized();
    const matches = keyring.matches('api-keys', parsed.secret, stored.hash);
    const expired = stored.expiresAt !== undefined && stored.expiresAt <= clock.now();
    if (!matches || expired || stored.revokedAt !== undefined) throw unauthorized();
    return { id: `key:${parsed.id}`, scopes: new Set(stored.scopes), projectIds: stored.projectIds };
  };
}

function unauthorized(detail = 'The credential is not valid'): AppError {
  return new AppError('unauthorized', detail, {
    headers: { 'www-authenticate': 'ApiKey realm="crownsafe"' },
  });
}
