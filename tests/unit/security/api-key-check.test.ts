import { describe, expect, it } from 'vitest';
import {
  createApiKeyCheck,
  createKeyring,
  newApiKey,
  type StoredApiKey,
} from '../../../src/lib/security/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const keyring = createKeyring('k'.repeat(32));
const { signal } = new AbortController();
const plainKey = { scopes: [], expiresAt: undefined, revokedAt: undefined, projectIds: [] };

function setUp(changes: Partial<StoredApiKey> = {}, verifying = keyring) {
  const clock = fakeClock();
  const key = newApiKey(keyring);
  const stored: StoredApiKey = {
    hash: key.hash,
    scopes: ['files:read'],
    expiresAt: undefined,
    revokedAt: undefined,
    projectIds: ['project-1'],
    ...changes,
  };
  const asked: string[] = [];
  const uses: [id: string, newHash: Buffer | undefined][] = [];
  const check = createApiKeyCheck({
    clock,
    keyring: verifying,
    find: async (id) => {
      asked.push(id);
      return id === key.id ? stored : undefined;
    },
    noteUse: (...use) => uses.push(use),
  });
  return { asked, check: (text: string) => check(text, signal), clock, key, uses };
}

describe('createApiKeyCheck', () => {
  it('knows the caller by the key, and takes down that it was used', async () => {
    const { check, key, uses } = setUp({ expiresAt: fakeClock().now() + 1_000 });

    const caller = await check(key.text);

    expect(caller).toEqual({
      id: `key:${key.id}`,
      scopes: new Set(['files:read']),
      projectIds: ['project-1'],
      expiresAt: fakeClock().now() + 1_000,
    });
    expect(uses).toEqual([[key.id, undefined]]);
  });

  it('knows nobody by a wrong secret, an unknown, expired, revoked or malformed key, whose use is no use', async () => {
    const { check, key, uses } = setUp();
    const expired = setUp({ expiresAt: fakeClock().now() - 1 });
    const revoked = setUp({ revokedAt: 1 });
    const another = newApiKey(keyring).text;

    const found = [
      await check(`${key.text.slice(0, 21)}${another.slice(21)}`),
      await check(another),
      await expired.check(expired.key.text),
      await revoked.check(revoked.key.text),
      await check('not a key'),
      await check(''),
    ];

    expect(found).toEqual(Array(6).fill(undefined));
    expect([...uses, ...expired.uses, ...revoked.uses]).toEqual([]);
  });

  it('refuses a key of which only the start of the secret is right', async () => {
    const { check, key } = setUp();
    const last = key.text.endsWith('A') ? 'E' : 'A';

    expect(await check(key.text.slice(0, -1) + last)).toBeUndefined();
  });

  it('accepts a key until the moment it expires', async () => {
    const { check, clock, key } = setUp({ expiresAt: fakeClock().now() + 1_000 });

    await clock.advance(999);
    const before = await check(key.text);
    await clock.advance(1);

    expect(before?.id).toBe(`key:${key.id}`);
    expect(await check(key.text)).toBeUndefined();
  });

  it('does not ask the database for what cannot be a key', async () => {
    const { asked, check } = setUp();

    await check("csk_' or 1=1 --");

    expect(asked).toEqual([]);
  });

  it('hashes a key anew that was hashed by the previous secret', async () => {
    const rotated = createKeyring(() => ({ current: 'n'.repeat(32), previous: 'k'.repeat(32) }));
    const { check, key, uses } = setUp({}, rotated);

    const caller = await check(key.text);

    const [[, newHash] = []] = uses;
    const again: unknown[] = [];
    const checkByNewOnly = createApiKeyCheck({
      clock: fakeClock(),
      keyring: createKeyring('n'.repeat(32)),
      find: async () => ({ ...plainKey, hash: newHash ?? Buffer.of() }),
      noteUse: (_, hash) => again.push(hash),
    });
    const found = await checkByNewOnly(key.text, signal);
    expect(caller?.id).toBe(`key:${key.id}`);
    expect(newHash).toHaveLength(32);
    expect(found?.id).toBe(caller?.id);
    expect(again).toEqual([undefined]);
  });

  it('does not turn an outage into a refusal', async () => {
    const check = createApiKeyCheck({
      clock: fakeClock(),
      keyring,
      find: () => Promise.reject(new Error('the database is down')),
      noteUse: () => {},
    });

    await expect(check(newApiKey(keyring).text, signal)).rejects.toThrow('the database is down');
  });
});
