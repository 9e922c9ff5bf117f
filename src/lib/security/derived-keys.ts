import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** What a derived key is for. A key of one purpose never serves another. */
type KeyPurpose = 'api-keys' | 'cursors' | 'tokens';

/** Keys derived from `SECRET_KEY`, one for each purpose. */
export interface Keyring {
  /** HMAC-SHA-256 of a text under the key of the purpose. */
  sign(purpose: KeyPurpose, text: string): Buffer;
}

/** Derives by HKDF-SHA-256 (RFC 5869), 32 bytes a key, at the first use of each purpose. */
export function createKeyring(secretKey: string): Keyring {
  const keys = new Map<KeyPurpose, Buffer>();
  const keyFor = (purpose: KeyPurpose) => {
    const known = keys.get(purpose);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', secretKey, '', `crownsafe/${purpose}`, 32));
    keys.set(purpose, key);
    return key;
  };
  return { sign: (purpose, text) => createHmac('sha256', keyFor(purpose)).update(text).digest() };
}

/** Compares in constant time, also for different lengths. */
export function equalsInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
