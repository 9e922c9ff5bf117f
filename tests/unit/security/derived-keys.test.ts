import { createDecipheriv, createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
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

/** A keyring whose secrets can be replaced. */
function rotatingKeyring(current: string) {
  let secrets: { current: string; previous?: string } = { current };
  return {
    keyring: createKeyring(() => secrets),
    replace: (next: typeof secrets) => {
      secrets = next;
    },
  };
}

const newSecretKey = 'another secret of more than thirty-two characters';

describe('a keyring whose secret is replaced', () => {
  it('signs with the new one at once, and knows signatures of both for as long as it has both', () => {
    const { keyring, replace } = rotatingKeyring(secretKey);
    const before = keyring.sign('cursors', 'text');
    replace({ current: newSecretKey, previous: secretKey });
    const after = keyring.sign('cursors', 'text');
    const during = [before, after].map((signature) => keyring.matches('cursors', 'text', signature));
    replace({ current: newSecretKey });

    expect(after.equals(createKeyring(newSecretKey).sign('cursors', 'text'))).toBe(true);
    expect(during).toEqual([true, true]);
    expect(keyring.matches('cursors', 'text', before)).toBe(false);
    expect(keyring.matches('cursors', 'text', after)).toBe(true);
  });

  it('knows no signature of another purpose, text or secret, and none that is cut short', () => {
    const { keyring, replace } = rotatingKeyring(secretKey);
    replace({ current: newSecretKey, previous: secretKey });
    const signature = keyring.sign('cursors', 'text');

    expect(keyring.matches('api-keys', 'text', signature)).toBe(false);
    expect(keyring.matches('cursors', 'Text', signature)).toBe(false);
    expect(keyring.matches('cursors', 'text', createKeyring('x'.repeat(32)).sign('cursors', 'text'))).toBe(
      false,
    );
    expect(keyring.matches('cursors', 'text', signature.subarray(0, 16))).toBe(false);
    expect(keyring.matches('cursors', 'text', new Uint8Array())).toBe(false);
  });

  it('knows a signature that was cut to an agreed length, and no other length', () => {
    const keyring = createKeyring(secretKey);
    const signature = keyring.sign('cursors', 'text');

    expect(keyring.matches('cursors', 'text', signature.subarray(0, 16), 16)).toBe(true);
    expect(keyring.matches('cursors', 'text', signature.subarray(0, 15), 16)).toBe(false);
    expect(keyring.matches('cursors', 'text', signature, 16)).toBe(false);
  });

  it('decrypts what either secret has encrypted, and tells what is of the current one', () => {
    const { keyring, replace } = rotatingKeyring(secretKey);
    const before = keyring.encrypt('192.0.2.1', 'audit_log.client_address');
    replace({ current: newSecretKey, previous: secretKey });
    const after = keyring.encrypt('192.0.2.1', 'audit_log.client_address');

    expect([before, after].map((bytes) => keyring.decrypt(bytes, 'audit_log.client_address'))).toEqual([
      '192.0.2.1',
      '192.0.2.1',
    ]);
    expect([before, after].map((bytes) => keyring.isCurrent(bytes))).toEqual([false, true]);
  });

  it('says which key is missing when its secret has gone, and not what was encrypted', () => {
    const { keyring, replace } = rotatingKeyring(secretKey);
    const before = keyring.encrypt('192.0.2.1', 'audit_log.client_address');
    replace({ current: newSecretKey });
    const keyId = createHash('sha256').update(hkdf(secretKey, 'crownsafe/fields')).digest('hex').slice(0, 16);

    expect(() => keyring.decrypt(before, 'audit_log.client_address')).toThrow(
      expect.objectContaining({
        code: 'field_key_missing',
        message: `An encrypted field needs the key ${keyId}, which neither SECRET_KEY nor the previous one gives`,
      }),
    );
  });
});

describe('field encryption', () => {
  const keyring = createKeyring(secretKey);
  const damaged = expect.objectContaining({ code: 'field_damaged' });

  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, context) => {
        const bytes = keyring.encrypt(text, context);

        expect(keyring.decrypt(bytes, context)).toBe(text);
        expect(bytes.length).toBe(37 + Buffer.byteLength(text));
      }),
    );
  });

  it('shows nothing of the text, and makes other bytes each time', () => {
    const [first, second] = [keyring.encrypt('192.0.2.1', 'a'), keyring.encrypt('192.0.2.1', 'a')];

    expect(first.equals(second)).toBe(false);
    expect(first.includes('192.0.2.1')).toBe(false);
  });

  it('uses another key than signatures do', () => {
    const bytes = keyring.encrypt('text', 'a');
    const signingKey = hkdf(secretKey, 'crownsafe/cursors');
    const decipher = createDecipheriv('aes-256-gcm', signingKey, bytes.subarray(9, 21));
    decipher.setAAD(Buffer.concat([bytes.subarray(0, 9), Buffer.from('a')]));
    decipher.setAuthTag(bytes.subarray(21, 37));
    decipher.update(bytes.subarray(37));

    expect(() => decipher.final()).toThrow('authenticate');
  });

  it('refuses a value that was moved to another place', () => {
    const bytes = keyring.encrypt('192.0.2.1', 'audit_log.client_address');

    expect(() => keyring.decrypt(bytes, 'share_access.client_address')).toThrow(damaged);
  });

  it('refuses a value of which any bit was changed, or that was cut short', () => {
    const bytes = keyring.encrypt('192.0.2.1', 'a');

    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => keyring.decrypt(changed, 'a')).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^field_(damaged|key_missing)$/) }),
      );
    }
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => keyring.decrypt(bytes.subarray(0, length), 'a')).toThrow(damaged);
      expect(keyring.isCurrent(bytes.subarray(0, length))).toBe(length >= 9);
    }
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
