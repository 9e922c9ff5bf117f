import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../../src/lib/core/index.ts';
import { createApiKeyCheck } from '../../../src/lib/security/api-key-check.ts';
import { newApiKey } from '../../../src/lib/security/api-keys.ts';
import { createAuthenticator } from '../../../src/lib/security/authenticate.ts';
import { readClientPrincipal } from '../../../src/lib/security/client-principal.ts';
import { createKeyring } from '../../../src/lib/security/derived-keys.ts';
import { scopes } from '../../../src/lib/security/scopes.ts';
import { createScraperCheck } from '../../../src/lib/security/scrape-token.ts';
import { createTokenCheck } from '../../../src/lib/security/tokens.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { hostileTexts } from '../../support/hostile-texts.ts';
import { assemble, bySecret, claimsOf, sharedToken } from '../../support/jwt.ts';

const keyring = createKeyring('a-secret-of-the-tests-0123456789abcdef');
const tokenSecret = 'a-secret-of-the-tests-for-tokens-0123456789';
const { signal } = new AbortController();
const clock = fakeClock();
const good = newApiKey(keyring);
const other = newApiKey(keyring);
const token = sharedToken(claimsOf('anna', { roles: ['admin'] }, clock.now()), tokenSecret);
const known = new Map(
  [good, other].map(({ id, hash }) => [
    id,
    { hash, scopes, expiresAt: undefined, revokedAt: undefined, projectIds: [] },
  ]),
);

/** Knows two keys that may do everything, and takes tokens by a secret. */
const authenticate = createAuthenticator({
  checkApiKey: createApiKeyCheck({ clock, keyring, find: async (id) => known.get(id), noteUse: () => {} }),
  checkToken: createTokenCheck({
    clock,
    secrets: () => ({ current: tokenSecret }),
    keyIssuer: undefined,
    issuer: undefined,
    audience: undefined,
    adminRole: 'admin',
  }),
  readPrincipal: undefined,
  findProjects: async () => [],
  onRefusal: () => {},
});

type Credentials = Parameters<typeof authenticate>[0];

const none: Credentials = { apiKey: undefined, authorization: undefined, clientPrincipal: undefined };

/** What somebody might add to a header or to claims. */
const facts = fc.object({ maxDepth: 1, maxKeys: 3 });

/** What became of a credential: `refused`, or what should not have been. */
async function outcomeOf(credentials: Credentials): Promise<string> {
  try {
    const caller = await authenticate(credentials, signal);
    return `accepted as ${caller.id}`;
  } catch (error) {
    return isAppError(error, 'unauthorized') ? 'refused' : `crashed: ${error}`;
  }
}

function hold(credentials: fc.Arbitrary<Credentials>, runs: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(credentials, async (sent) => {
      expect(await outcomeOf(sent)).toBe('refused');
    }),
    { numRuns: runs },
  );
}

describe('a credential that is not right', () => {
  it('is refused as an API key, 40,000 times', { timeout: 60_000 }, async () => {
    expect(await outcomeOf({ ...none, apiKey: good.text })).toBe(`accepted as key:${good.id}`);

    await hold(
      hostileTexts(good.text).map((apiKey) => ({ ...none, apiKey })),
      40_000,
    );
  });

  it('is refused with the id of one key and the secret of another', async () => {
    const [, , secret = ''] = other.text.split('_');

    expect(await outcomeOf({ ...none, apiKey: `csk_${good.id}_${secret}` })).toBe('refused');
  });

  it('is refused in authorization, 10,000 times', { timeout: 60_000 }, async () => {
    const schemes = fc.constantFrom('', 'Bearer ', 'bearer  ', 'Basic ', 'ApiKey ', 'Negotiate ', 'Digest ');

    await hold(
      fc.tuple(schemes, fc.oneof(fc.constant(good.text), hostileTexts(good.text))).map(([scheme, text]) => ({
        ...none,
        authorization: `${scheme}${text}`,
      })),
      10_000,
    );
  });

  it('is refused as a bearer token, 20,000 times', { timeout: 60_000 }, async () => {
    expect(await outcomeOf({ ...none, authorization: `Bearer ${token}` })).toBe('accepted as anna');

    // Blanks behind the scheme are no part of the token.
    const wrong = hostileTexts(token).filter((text) => text.trim() !== token);
    await hold(
      wrong.map((text) => ({ ...none, authorization: `Bearer ${text}` })),
      20_000,
    );
  });

  it('is refused as a token whose signature is written in another way', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const written = [...alphabet].map((last) => token.slice(0, -1) + last).filter((text) => text !== token);

    const signature = (text: string) => Buffer.from(text.split('.')[2] ?? '', 'base64url').toString('hex');
    expect(written.filter((text) => signature(text) === signature(token))).toHaveLength(3);
    for (const text of written)
      expect(await outcomeOf({ ...none, authorization: `Bearer ${text}` })).toBe('refused');
  });

  it('is refused as a token of other claims or another header under the same signature, 10,000 times', {
    timeout: 60_000,
  }, async () => {
    const signature = Buffer.from(token.split('.')[2] ?? '', 'base64url');
    const header = { alg: 'HS256', typ: 'JWT' };
    const claims = claimsOf('anna', { roles: ['admin'] }, clock.now());
    const changed = fc.oneof(
      facts.map((more) => [{ ...header, ...more }, claims] as const),
      facts.map((more) => [header, { ...claims, ...more }] as const),
      fc
        .tuple(hostileTexts('HS256'), fc.json())
        .map(([alg, more]) => [{ ...header, alg, jwk: more }, claims] as const),
    );

    await hold(
      changed
        .filter((parts) => JSON.stringify(parts) !== JSON.stringify([header, claims]))
        .map(([head, body]) => ({
          ...none,
          authorization: `Bearer ${assemble(head, body, () => signature)}`,
        })),
      10_000,
    );
  });

  it('is nobody of those who are known in a token that is signed, whatever its claims: 5,000 times', {
    timeout: 60_000,
  }, async () => {
    const subjects = fc.oneof(fc.anything(), hostileTexts(`key:${good.id}`), fc.constant(`key:${good.id}`));

    await fc.assert(
      fc.asyncProperty(subjects, facts, async (sub, more) => {
        const claims = JSON.stringify({ ...more, sub, exp: clock.now() / 1000 + 60 }) ?? '';
        const signed = assemble({ alg: 'HS256' }, claims, bySecret(tokenSecret));
        const outcome = await outcomeOf({ ...none, authorization: `Bearer ${signed}` });

        expect(outcome).toMatch(/^(refused|accepted as [^\p{C}]*)$/su);
        expect(outcome).not.toMatch(/accepted as (key|cli|system):/i);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is refused as a principal of the platform, or names a user: 10,000 times', () => {
    const principal = JSON.stringify({ auth_typ: 'aad', claims: [{ typ: 'sub', val: 'anna' }] });
    const header = Buffer.from(principal).toString('base64');
    const texts = fc.oneof(
      hostileTexts(principal).map((text) => Buffer.from(text).toString('base64')),
      hostileTexts(header),
    );

    expect(readClientPrincipal(header, 'admin')).toMatchObject({ id: 'anna' });

    fc.assert(
      fc.property(texts, (text) => {
        const found = readClientPrincipal(text, 'admin');
        if ('id' in found) expect(found.id).not.toMatch(/^(key|cli|system):|^\s|\s$|\p{C}/iu);
        if ('id' in found) expect([...found.scopes]).toEqual([]);
      }),
      { numRuns: 10_000 },
    );
  });

  it('is refused as the token of scrapers, 10,000 times', () => {
    const token = 'a-token-of-the-tests-0123456789';
    const isScraper = createScraperCheck(keyring, token);

    expect(isScraper(`Bearer ${token}`)).toBe(true);
    fc.assert(
      fc.property(hostileTexts(token), (text) => {
        // The scheme may be written with any blanks behind it.
        fc.pre(text.trim() !== token);
        expect(isScraper(`Bearer ${text}`)).toBe(false);
        expect(isScraper(text)).toBe(false);
      }),
      { numRuns: 10_000 },
    );
  });
});
