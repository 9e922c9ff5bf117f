import type { Clock } from '../core/index.ts';
import { hashApiKeySecret, parseApiKey } from './api-keys.ts';
import { equalsInConstantTime, type Keyring } from './derived-keys.ts';
import type { Caller, Scope } from './scopes.ts';

/** An API key as it is kept, with the projects of its owner. */
export interface StoredApiKey {
  readonly hash: Uint8Array;
  readonly scopes: readonly Scope[];
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly projectIds: readonly string[];
}

interface ApiKeyCheckPorts {
  readonly clock: Clock;
  readonly keyring: Keyring;
  /** Asked at each request, so that a key that is revoked is refused from then on, on every instance. */
  find(id: string, signal: AbortSignal): Promise<StoredApiKey | undefined>;
  /**
   * Told of each use of a good key. Neither throws nor waits.
   *
   * @param newHash - by the current secret, to take the place of one by the previous
   */
  noteUse(id: string, newHash: Buffer | undefined): void;
}

/** Tells who comes with an API key, if it is good. */
export type CheckApiKey = (text: string, signal: AbortSignal) => Promise<Caller | undefined>;

/** Makes the check of API keys. */
export function createApiKeyCheck({ clock, keyring, find, noteUse }: ApiKeyCheckPorts): CheckApiKey {
  return async (text, signal) => {
    const parsed = parseApiKey(text);
    const stored = parsed && (await find(parsed.id, signal));
    if (!parsed || !stored) return undefined;
    const { scopes, projectIds, expiresAt } = stored;
    const matches = keyring.matches('api-keys', parsed.secret, stored.hash);
    const expired = expiresAt !== undefined && expiresAt <= clock.now();
    if (!matches || expired || stored.revokedAt !== undefined) return undefined;
    const hash = hashApiKeySecret(keyring, parsed.secret);
    noteUse(parsed.id, equalsInConstantTime(hash, stored.hash) ? undefined : hash);
    return { id: `key:${parsed.id}`, scopes: new Set(scopes), projectIds, expiresAt };
  };
}
