import { describe, expect, it } from 'vitest';
import {
  createAuthenticator,
  createKeyring,
  newApiKey,
  type StoredApiKey,
} from '../../../src/lib/security/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const keyring = createKeyring('k'.repeat(32));
const { signal } = new AbortController();

function setUp(changes: Partial<StoredApiKey> = {}) {
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
  const authenticate = createAuthenticator({
    clock,
    keyring,
    findApiKey: async (id) => {
      asked.push(id);
      return id === key.id ? stored : undefined;
    },
  });
  const refusalOf = (apiKey: string | undefined, authorization?: string) =>
    authenticate({ apiKey, authorization }, signal).then(
      () => undefined,
      (error: unknown) => error,
    );
  return { authenticate, asked, clock, key, refusalOf };
}

/** Everything a client sees of an error. */
const seen = (error: unknown) => {
  const { code, message, headers, errors } = error as Record<string, unknown>;
  return { code, message, headers, errors };
};

describe('createAuthenticator', () => {
  it('knows the caller by the key', async () => {
    const { authenticate, key } = setUp();

    const caller = await authenticate({ apiKey: key.text, authorization: undefined }, signal);

    expect(caller).toEqual({
      id: `key:${key.id}`,
      scopes: new Set(['files:read']),
      projectIds: ['project-1'],
    });
  });

  it('refuses a wrong secret, an unknown, expired, revoked or malformed key in the same words', async () => {
    const { key, refusalOf } = setUp();
    const expired = setUp({ expiresAt: fakeClock().now() - 1 });
    const revoked = setUp({ revokedAt: 1 });
    const another = newApiKey(keyring).text;

    const refusals = [
      await refusalOf(`${key.text.slice(0, 21)}${another.slice(21)}`),
      await refusalOf(another),
      await expired.refusalOf(expired.key.text),
      await revoked.refusalOf(revoked.key.text),
      await refusalOf('not a key'),
      await refusalOf(''),
    ];

    expect(refusals.map(seen)).toEqual(
      Array(6).fill({
        code: 'unauthorized',
        message: 'The credential is not valid',
        headers: { 'www-authenticate': 'ApiKey realm="crownsafe"' },
        errors: undefined,
      }),
    );
  });

  it('refuses a key of which only the start of the secret is right', async () => {
    const { key, refusalOf } = setUp();
    const last = key.text.endsWith('A') ? 'E' : 'A';

    const refusal = await refusalOf(key.text.slice(0, -1) + last);

    expect(refusal).toMatchObject({ code: 'unauthorized' });
  });

  it('accepts a key until the moment it expires', async () => {
    const { authenticate, clock, key, refusalOf } = setUp({ expiresAt: fakeClock().now() + 1_000 });

    await clock.advance(999);
    const before = await authenticate({ apiKey: key.text, authorization: undefined }, signal);
    await clock.advance(1);

    expect(before.id).toBe(`key:${key.id}`);
    expect(await refusalOf(key.text)).toMatchObject({ code: 'unauthorized' });
  });

  it('does not ask the database for what cannot be a key', async () => {
    const { asked, refusalOf } = setUp();

    await refusalOf("csk_' or 1=1 --");

    expect(asked).toEqual([]);
  });

  it('tells who sends no key how to send one', async () => {
    const { refusalOf } = setUp();

    const refusals = [await refusalOf(undefined), await refusalOf(undefined, 'Bearer token')];

    expect(refusals.map(seen)).toMatchObject([
      { code: 'unauthorized', message: 'Send an API key in x-api-key' },
      { code: 'unauthorized', message: 'This scheme is not accepted' },
    ]);
  });

  it('does not turn an outage into a refusal', async () => {
    const authenticate = createAuthenticator({
      clock: fakeClock(),
      keyring,
      findApiKey: () => Promise.reject(new Error('the database is down')),
    });

    const asking = authenticate({ apiKey: newApiKey(keyring).text, authorization: undefined }, signal);

    await expect(asking).rejects.toThrow('the database is down');
  });
});
