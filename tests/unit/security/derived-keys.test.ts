import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKeyring, equalsInConstantTime } from '../../../src/lib/security/index.ts';

const secretKey = 'a secret of more than thirty-two characters';

/** HKDF-SHA-256 of one block by the steps of RFC 5869, section 2, without salt. */
function hkdf(secret: string, info: string): Buffer {
  const pseudorandomKey = createHmac('sha256', Buffer.alloc(32)).update(secret).digest();
  return createHmac('sha256', pseudorandomKey).update(`${info}\u0001`).digest();
}

describe('createKeyring', () => {
  it('signs by HMAC-SHA-256 under a key derived for the purpose', () => {
    const expected = createHmac('sha256', hkdf(secretKey, 'crownsafe/cursors')).update('text').digest('hex');

    const signature = createKeyring(secretKey).sign('cursors', 'text');

    expect(signature.toString('hex')).toBe(expected);
  });

  it('signs the same text the same way every time, and in every process', () => {
    const keyring = createKeyring(secretKey);

    const signatures = [keyring, keyring, createKeyring(secretKey)].map((ring) =>
      ring.sign('api-keys', 'text'),
    );

    expect(new Set(signatures.map((signature) => signature.toString('hex'))).size).toBe(1);
  });

  it('signs differently for each purpose, text and secret', () => {
    const keyring = createKeyring(secretKey);

    const signatures = [
      keyring.sign('api-keys', 'text'),
      keyring.sign('cursors', 'text'),
      keyring.sign('cursors', 'Text'),
      createKeyring(`${secretKey}!`).sign('cursors', 'text'),
    ].map((signature) => signature.toString('hex'));

    expect(new Set(signatures).size).toBe(4);
  });
});

describe('equalsInConstantTime', () => {
  const bytes = (text: string) => createHash('sha256').update(text).digest();

  it.each<[string, Uint8Array, Uint8Array, boolean]>([
    ['equal bytes', bytes('a'), bytes('a'), true],
    ['other bytes', bytes('a'), bytes('b'), false],
    ['a part of them', bytes('a'), bytes('a').subarray(1), false],
    ['no bytes and some', new Uint8Array(), bytes('a'), false],
    ['no bytes twice', new Uint8Array(), new Uint8Array(), true],
  ])('compares %s', (_, a, b, expected) => {
    expect(equalsInConstantTime(a, b)).toBe(expected);
  });
});
