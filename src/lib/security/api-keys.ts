import { newSecret } from '../core/index.ts';
import type { Keyring } from './derived-keys.ts';

/** A new key: `text` is shown once, only the hash is kept. */
export interface NewApiKey {
  readonly id: string;
  readonly hash: Buffer;
  readonly text: string;
}

// The id has no `_`, so the text splits in one way only. 8 and 32 random bytes.
const form = /^csk_([A-Za-z0-9]{16})_([A-Za-z0-9_-]{43})$/;

/** Makes an API key `csk_<id>_<secret>`. */
export function newApiKey(keyring: Keyring): NewApiKey {
  const id = newSecret(8).toString('hex');
  const secret = newSecret(32).toString('base64url');
  return { id, hash: hashApiKeySecret(keyring, secret), text: `csk_${id}_${secret}` };
}

/** Splits the text of an API key; `undefined` when it has not the form of one. */
export function parseApiKey(text: string): { id: string; secret: string } | undefined {
  const [, id, secret] = form.exec(text) ?? [];
  return id && secret ? { id, secret } : undefined;
}

/** Keyed, so that a stolen table cannot be searched offline; not slow, because the secret has 256 bits. */
export function hashApiKeySecret(keyring: Keyring, secret: string): Buffer {
  return keyring.sign('api-keys', secret);
}
