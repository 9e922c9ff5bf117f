import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashApiKeySecret, parseApiKey } from '../../../src/lib/security/api-keys.ts';
import { createKeyring, newApiKey } from '../../../src/lib/security/index.ts';

const keyring = createKeyring('k'.repeat(32));

describe('newApiKey', () => {
  it('makes a text that splits into its id and the secret of its hash', () => {
    const key = newApiKey(keyring);

    const parsed = parseApiKey(key.text);

    expect(key.text).toMatch(/^csk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(parsed?.id).toBe(key.id);
    expect(hashApiKeySecret(keyring, parsed?.secret ?? '').equals(key.hash)).toBe(true);
  });

  it('makes another one each time', () => {
    const keys = Array.from({ length: 50 }, () => newApiKey(keyring));

    expect(new Set(keys.map(({ id }) => id)).size).toBe(50);
    expect(new Set(keys.map(({ text }) => text)).size).toBe(50);
  });
});

describe('parseApiKey', () => {
  const [id, secret] = ['0123456789abcdef', 's'.repeat(43)];

  it('splits a text in one way, also where the secret holds the separator', () => {
    const withSeparators = `${'_'.repeat(42)}s`;

    expect(parseApiKey(`csk_${id}_${withSeparators}`)).toEqual({ id, secret: withSeparators });
  });

  it.each([
    '',
    'csk_',
    `csk_${id}`,
    `csk_${id}_`,
    `csk_${id}_${secret}s`,
    `csk_${id}_${secret.slice(1)}`,
    `csk_${id.slice(1)}_${secret}`,
    `CSK_${id}_${secret}`,
    ` csk_${id}_${secret}`,
    `csk_${id}_${secret}\n`,
    `csk_${id}_${secret.slice(1)}=`,
    `csk_${id.slice(1)}ä_${secret}`,
  ])('refuses %j', (text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });

  it('refuses anything else', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseApiKey(text) === undefined));
  });
});

describe('hashApiKeySecret', () => {
  it('depends on the secret and on the key of the service', () => {
    const hashes = [
      hashApiKeySecret(keyring, 'a'),
      hashApiKeySecret(keyring, 'b'),
      hashApiKeySecret(createKeyring('other'.repeat(8)), 'a'),
    ].map((hash) => hash.toString('hex'));

    expect(new Set(hashes).size).toBe(3);
    expect(hashes[0]).toBe(hashApiKeySecret(keyring, 'a').toString('hex'));
  });
});
