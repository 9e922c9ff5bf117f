import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { type Lazy, lazy, memoize } from '../core/index.ts';
import { decryptField, encryptField, type FieldKey, fieldKey, keyIdOf } from './field-encryption.ts';

/** What a derived key is for. A key of one purpose never serves another. */
type SigningPurpose = 'api-keys' | 'credential-failures' | 'cursors' | 'tokens';
type KeyPurpose = SigningPurpose | 'fields';

/** A secret, and for as long as it is being replaced a second one that is accepted as well. */
export interface RotatingSecret {
  /** Signs and encrypts. */
  readonly current: string;
  /** Verifies and decrypts only. */
  readonly previous?: string | undefined;
}

/** Keys derived from `SECRET_KEY`, one for each purpose. */
export interface Keyring {
  /** HMAC-SHA-256 of a text under the current key of the purpose. */
  sign(purpose: SigningPurpose, text: string): Buffer;
  /**
   * True when the signature is that of the text, under the current key or the previous one; in constant time.
   *
   * @param bytes - length of a signature that was cut short; left out, all 32 bytes
   */
  matches(purpose: SigningPurpose, text: string, signature: Uint8Array, bytes?: number): boolean;
  /**
   * Encrypts a value of a column by AES-256-GCM under the current key. The same text gives other bytes each time; they are
   * 37 bytes longer than the text in UTF-8.
   *
   * @param context - where the value stands, as `audit_log.client_address`; what was moved elsewhere is not decrypted
   */
  encrypt(text: string, context: string): Buffer;
  /**
   * Decrypts under the key that the bytes name, the current one or the previous one.
   *
   * @throws FieldKeyError `field_key_missing`, `field_damaged`
   */
  decrypt(bytes: Uint8Array, context: string): string;
  /** True for encrypted bytes, or the first nine of them, that need the current key only. */
  isCurrent(bytes: Uint8Array): boolean;
}

/** The keys of one secret. */
interface DerivedKeys {
  readonly of: (purpose: KeyPurpose) => Buffer;
  readonly field: Lazy<FieldKey>;
}

/** The current and the previous secret before and after a rotation. */
const maxSecrets = 4;

/**
 * Derives by HKDF-SHA-256 (RFC 5869), 32 bytes a key, at the first use of each purpose.
 *
 * @param secretKey - a function is asked at each use, so that it may give another secret after a rotation
 */
export function createKeyring(secretKey: string | (() => RotatingSecret)): Keyring {
  const secrets = typeof secretKey === 'string' ? (): RotatingSecret => ({ current: secretKey }) : secretKey;
  const keysOf = memoize(maxSecrets, deriveKeys);
  const current = () => keysOf(secrets().current);
  const all = () => {
    const { current, previous } = secrets();
    return (previous === undefined ? [current] : [current, previous]).map(keysOf);
  };
  return {
    sign: (purpose, text) => signUnder(current().of(purpose), text),
    matches: (purpose, text, signature, bytes) =>
      all().some((keys) =>
        equalsInConstantTime(signUnder(keys.of(purpose), text).subarray(0, bytes), signature),
      ),
    encrypt: (text, context) => encryptField(current().field(), text, context),
    decrypt: (bytes, context) =>
      decryptField(
        all().map(({ field }) => field()),
        bytes,
        context,
      ),
    isCurrent: (bytes) => keyIdOf(bytes) === current().field().id,
  };
}

function deriveKeys(secret: string): DerivedKeys {
  const keys = new Map<KeyPurpose, Buffer>();
  const of = (purpose: KeyPurpose) => {
    const known = keys.get(purpose);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', secret, '', `crownsafe/${purpose}`, 32));
    keys.set(purpose, key);
    return key;
  };
  return { of, field: lazy(() => fieldKey(of('fields'))) };
}

function signUnder(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Compares in constant time, also for different lengths. */
export function equalsInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
