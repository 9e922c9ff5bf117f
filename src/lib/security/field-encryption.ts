import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { newSecret } from '../core/index.ts';

/*
 * An encrypted value is: version (1 byte) · id of the key (8) · nonce (12) · tag (16) · ciphertext. Version and id are
 * authenticated together with the context.
 */

const algorithm = 'aes-256-gcm';
const version = 1;
const idBytes = 8;
const headerBytes = 1 + idBytes;
/** 96 bits at random: safe for 2^32 values under one key (NIST SP 800-38D, section 8.3). */
const nonceBytes = 12;
const tagBytes = 16;
const prefixBytes = headerBytes + nonceBytes + tagBytes;

type FieldKeyErrorCode = 'field_key_missing' | 'field_damaged';

/** A value cannot be decrypted; its message holds neither text nor key. */
class FieldKeyError extends Error {
  override readonly name = 'FieldKeyError' as const;
  readonly code: FieldKeyErrorCode;

  constructor(code: FieldKeyErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** A key for fields, with the id by which values name it: the beginning of its SHA-256, in hex. */
export interface FieldKey {
  readonly id: string;
  readonly key: Buffer;
}

export function fieldKey(key: Buffer): FieldKey {
  return {
    id: createHash('sha256')
      .update(key)
      .digest('hex')
      .slice(0, 2 * idBytes),
    key,
  };
}

/** The id of the key that a value names, of which its first nine bytes are enough; `undefined` when it is no encrypted value. */
export function keyIdOf(bytes: Uint8Array): string | undefined {
  if (bytes.length < headerBytes || bytes[0] !== version) return undefined;
  return Buffer.from(bytes.subarray(1, headerBytes)).toString('hex');
}

export function encryptField({ id, key }: FieldKey, text: string, context: string): Buffer {
  const header = Buffer.concat([Buffer.of(version), Buffer.from(id, 'hex')]);
  const nonce = newSecret(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(authenticated(header, context));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([header, nonce, cipher.getAuthTag(), ciphertext]);
}

/** @throws FieldKeyError */
export function decryptField(keys: readonly FieldKey[], bytes: Uint8Array, context: string): string {
  const id = keyIdOf(bytes);
  if (id === undefined || bytes.length < prefixBytes)
    throw new FieldKeyError('field_damaged', 'An encrypted field is damaged');
  const known = keys.find((key) => key.id === id);
  if (!known) {
    throw new FieldKeyError(
      'field_key_missing',
      `An encrypted field needs the key ${id}, which neither SECRET_KEY nor the previous one gives`,
    );
  }
  const header = bytes.subarray(0, headerBytes);
  const nonce = bytes.subarray(headerBytes, headerBytes + nonceBytes);
  const decipher = createDecipheriv(algorithm, known.key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(authenticated(header, context));
  decipher.setAuthTag(bytes.subarray(headerBytes + nonceBytes, prefixBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(prefixBytes)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new FieldKeyError('field_damaged', `An encrypted field is damaged, or not of ${context}`, cause);
  }
}

function authenticated(header: Uint8Array, context: string): Buffer {
  return Buffer.concat([header, Buffer.from(context)]);
}
