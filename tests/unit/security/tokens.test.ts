import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenCheck } from '../../../src/lib/security/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import {
  assemble,
  bySecret,
  claimsOf as claimsAt,
  type IssuerKey,
  issuedToken,
  makeIssuerKey,
  sharedToken,
  testJwtSecret,
} from '../../support/jwt.ts';

const { signal } = new AbortController();
const nowMs = fakeClock().now();
const now = nowMs / 1000;
const rsa = makeIssuerKey('rsa-1');
const ec = makeIssuerKey('ec-1', 'ES256');
const stranger = makeIssuerKey('rsa-1');

const issuer = 'https://login.example/';
const audience = 'api://crownsafe';
const claimsOf = (sub: string, more: object = {}) => claimsAt(sub, more, nowMs);
/** What an issuer says of its users. */
const issued = (more: object = {}) => claimsOf('alice', { iss: issuer, aud: audience, ...more });

interface Settings {
  readonly secret?: string | undefined;
  readonly previous?: string;
  readonly keys?: readonly IssuerKey[] | undefined;
  readonly bound?: boolean;
}

/** Checks a token, by default with both a secret and an issuer; tells the refusal, or who it is. */
function setUp({ secret = testJwtSecret, previous, keys = [rsa, ec], bound = false }: Settings = {}) {
  const clock = fakeClock();
  const asked: string[] = [];
  const body = Buffer.from(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  const check = createTokenCheck({
    clock,
    secrets: () => (secret === '' ? undefined : { current: secret, previous }),
    keyIssuer:
      keys.length === 0
        ? undefined
        : {
            fetchKeys: async () => {
              asked.push('keys');
              return { status: 200, body };
            },
            onFailure: () => {},
          },
    issuer: bound ? issuer : undefined,
    audience: bound ? audience : undefined,
    adminRole: 'admin',
  });
  return { asked, clock, check: (text: string) => check(text, signal) };
}

const bothBound = setUp({ bound: true });
const byIssuer = { alg: 'RS256', kid: 'rsa-1' };
const hs = { alg: 'HS256' };
const secretSigner = bySecret(testJwtSecret);

describe('a good token', () => {
  it.each([
    ['by the secret', sharedToken(issued({ scope: 'files:read' }))],
    ['by an RSA key of the issuer', issuedToken(rsa, issued({ scope: 'files:read' }))],
    ['by an elliptic key of the issuer', issuedToken(ec, issued({ scope: 'files:read' }))],
    ['for several audiences', issuedToken(rsa, issued({ scope: 'files:read', aud: ['other', audience] }))],
    [
      'of the type at+jwt',
      assemble({ ...byIssuer, typ: 'at+jwt' }, issued({ scope: 'files:read' }), rsa.signer),
    ],
    ['of no type', assemble(byIssuer, issued({ scope: 'files:read' }), rsa.signer)],
    [
      'that tells where its key could be fetched, which is not done',
      assemble(
        { ...byIssuer, jku: 'https://evil.example/', x5t: 'a' },
        issued({ scope: 'files:read' }),
        rsa.signer,
      ),
    ],
  ])('is known %s', async (_, token) => {
    const found = await bothBound.check(token);

    expect(found).toEqual({
      id: 'alice',
      scopes: new Set(['files:read']),
      projectIds: [],
      expiresAt: nowMs + 300_000,
    });
  });

  it('by the previous secret is known while the secret is being replaced', async () => {
    const token = sharedToken(claimsOf('alice'), 'p'.repeat(32));

    const during = await setUp({ previous: 'p'.repeat(32) }).check(token);
    const after = await setUp().check(token);

    expect([during, after]).toMatchObject([
      { id: 'alice' },
      { refused: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' },
    ]);
  });

  it('needs no issuer and no audience where none is asked for', async () => {
    expect(await setUp().check(sharedToken(claimsOf('alice')))).toMatchObject({ id: 'alice' });
  });

  it.each([
    ['just expired', { exp: now - 59 }],
    ['not valid for another minute', { nbf: now + 60 }],
    ['issued within the next minute', { iat: now + 60 }],
    ['without the time of its issue', { iat: undefined }],
  ])('is known although it is %s: clocks differ', async (_, more) => {
    expect(await bothBound.check(sharedToken(issued(more)))).toMatchObject({ id: 'alice' });
  });
});

/** Refused, whatever is configured; each with the word for the log. */
const hostile: readonly (readonly [name: string, token: string, reason: string])[] = [
  ['nothing', '', 'form'],
  ['one part', 'eyJhbGciOiJIUzI1NiJ9', 'form'],
  ['no signature', `${sharedToken(issued()).split('.').slice(0, 2).join('.')}.`, 'form'],
  ['alg none', assemble({ alg: 'none' }, issued(), () => Buffer.of()), 'form'],
  ['alg none with a signature', assemble({ alg: 'none' }, issued(), secretSigner), 'key'],
  ['alg NONE', assemble({ alg: 'NoNe' }, issued(), secretSigner), 'key'],
  ['no alg', assemble({ typ: 'JWT' }, issued(), secretSigner), 'key'],
  ['a list as alg', assemble({ alg: ['HS256'] }, issued(), secretSigner), 'key'],
  ['alg from the prototype', assemble({ alg: 'constructor' }, issued(), secretSigner), 'key'],
  ['HS512', assemble({ alg: 'HS512' }, issued(), secretSigner), 'key'],
  ['PS256', assemble({ ...byIssuer, alg: 'PS256' }, issued(), rsa.signer), 'key'],
  [
    'the public key as a secret, in PEM',
    assemble(hs, issued(), bySecret(rsa.publicKey.export({ type: 'spki', format: 'pem' }))),
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  ],
  [
    'the public key as a secret, in DER',
    assemble(
      { ...hs, kid: 'rsa-1' },
      issued(),
      bySecret(rsa.publicKey.export({ type: 'spki', format: 'der' })),
    ),
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  ],
  [
    'RS256 signed by the secret',
    assemble(byIssuer, issued(), secretSigner),
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  ],
  ['ES256 under the id of an RSA key', assemble({ ...byIssuer, alg: 'ES256' }, issued(), ec.signer), 'key'],
  [
    'a key of a stranger under a known id',
    issuedToken(stranger, issued()),
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  ],
  ['another secret', sharedToken(issued(), 's'.repeat(40)), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'],
  [
    'its own key in the header',
    assemble({ ...byIssuer, jwk: stranger.jwk }, issued(), stranger.signer),
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  ],
  [
    'an address of keys in the header',
    assemble(
      { ...byIssuer, jku: 'https://evil.example/', x5u: 'https://evil.example/' },
      issued(),
      stranger.signer,
    ),
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  ],
  ...['../../../dev/null', 'https://evil.example/jwks', "' or 1=1 --", '', '\0', 'RSA-1', 'rsa-1 '].map(
    (kid) =>
      [
        `the id of a key ${JSON.stringify(kid)}`,
        assemble({ ...byIssuer, kid }, issued(), rsa.signer),
        'key',
      ] as const,
  ),
  ['a number as the id of a key', assemble({ ...byIssuer, kid: 1 }, issued(), rsa.signer), 'key'],
  ['an object as the id of a key', assemble({ ...byIssuer, kid: { a: 1 } }, issued(), rsa.signer), 'key'],
  ['something critical', assemble({ ...hs, crit: ['exp'], exp: 1 }, issued(), secretSigner), 'header'],
  ['an empty list of what is critical', assemble({ ...hs, crit: [] }, issued(), secretSigner), 'header'],
  [
    'a payload that is not encoded',
    assemble({ ...hs, b64: false, crit: ['b64'] }, issued(), secretSigner),
    'header',
  ],
  ['b64 that is not critical', assemble({ ...hs, b64: false }, issued(), secretSigner), 'header'],
  ['another token inside', assemble({ ...hs, cty: 'JWT' }, sharedToken(issued()), secretSigner), 'header'],
  ['another token inside, unsaid', assemble(hs, sharedToken(issued()), secretSigner), 'ERR_JWT_INVALID'],
  ['five parts, as encrypted ones have', `${sharedToken(issued())}.a.b`, 'form'],
  ['the type of a logout', assemble({ ...byIssuer, typ: 'logout+jwt' }, issued(), rsa.signer), 'header'],
  ['a number as its type', assemble({ ...byIssuer, typ: 1 }, issued(), rsa.signer), 'header'],
  ['a header that is no JSON', assemble('{"alg":"HS256"', issued(), secretSigner), 'header'],
  ['a list as its header', assemble('["HS256"]', issued(), secretSigner), 'header'],
  ['a header that is no UTF-8', `_w.${sharedToken(issued()).split('.').slice(1).join('.')}`, 'header'],
  ['claims that are no JSON', assemble(hs, 'alice', secretSigner), 'ERR_JWT_INVALID'],
  ['a list as its claims', assemble(hs, [issued()], secretSigner), 'ERR_JWT_INVALID'],
  ['null as its claims', assemble(hs, 'null', secretSigner), 'ERR_JWT_INVALID'],
  [
    'claims nested a thousand times',
    assemble(hs, `${'['.repeat(1_000)}${']'.repeat(1_000)}`, secretSigner),
    'ERR_JWT_INVALID',
  ],
  ['bad base64', sharedToken(issued()).replace('.', '.!'), 'form'],
  ['base64 with padding', `${sharedToken(issued())}=`, 'form'],
  ['a signature that is cut', sharedToken(issued()).slice(0, -4), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'],
  ['more than 8 KiB', sharedToken(issued({ pad: 'x'.repeat(8_192) })), 'form'],
  ['a line break at its end', `${sharedToken(issued())}\n`, 'form'],
  ['expired', sharedToken(issued({ exp: now - 60 })), 'ERR_JWT_EXPIRED exp'],
  [
    'expired, and signed by somebody else',
    sharedToken(issued({ exp: now - 60 }), 'x'.repeat(32)),
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  ],
  [
    'expired, and of another issuer',
    issuedToken(rsa, issued({ exp: now - 60, iss: 'https://evil.example/' })),
    'ERR_JWT_CLAIM_VALIDATION_FAILED iss',
  ],
  ['expired for long', sharedToken(issued({ exp: 0 })), 'ERR_JWT_EXPIRED exp'],
  ['never expiring', sharedToken(issued({ exp: undefined })), 'ERR_JWT_CLAIM_VALIDATION_FAILED exp'],
  [
    'a text as its end',
    sharedToken(issued({ exp: String(now + 300) })),
    'ERR_JWT_CLAIM_VALIDATION_FAILED exp',
  ],
  [
    'an end beyond all dates',
    assemble(hs, JSON.stringify(issued()).replace(/"exp":\d+/, '"exp":1e999'), secretSigner),
    'exp',
  ],
  ['an end that no date has', sharedToken(issued({ exp: 1e15 })), 'exp'],
  ['not valid yet', sharedToken(issued({ nbf: now + 61 })), 'ERR_JWT_CLAIM_VALIDATION_FAILED nbf'],
  ['issued in the future', sharedToken(issued({ iat: now + 61 })), 'iat'],
  [
    'another issuer',
    issuedToken(rsa, issued({ iss: 'https://evil.example/' })),
    'ERR_JWT_CLAIM_VALIDATION_FAILED iss',
  ],
  ['another issuer, by the secret', sharedToken(issued({ iss: 'x' })), 'ERR_JWT_CLAIM_VALIDATION_FAILED iss'],
  [
    'an issuer that only begins like ours',
    issuedToken(rsa, issued({ iss: `${issuer}x` })),
    'ERR_JWT_CLAIM_VALIDATION_FAILED iss',
  ],
  ['a list of issuers', issuedToken(rsa, issued({ iss: [issuer] })), 'ERR_JWT_CLAIM_VALIDATION_FAILED iss'],
  ['no issuer', issuedToken(rsa, issued({ iss: undefined })), 'ERR_JWT_CLAIM_VALIDATION_FAILED iss'],
  ['another audience', issuedToken(rsa, issued({ aud: 'other' })), 'ERR_JWT_CLAIM_VALIDATION_FAILED aud'],
  ['other audiences', issuedToken(rsa, issued({ aud: ['a', 'b'] })), 'ERR_JWT_CLAIM_VALIDATION_FAILED aud'],
  [
    'an audience that holds ours',
    issuedToken(rsa, issued({ aud: `${audience}/x` })),
    'ERR_JWT_CLAIM_VALIDATION_FAILED aud',
  ],
  ['no audience', issuedToken(rsa, issued({ aud: undefined })), 'ERR_JWT_CLAIM_VALIDATION_FAILED aud'],
  ['nobody', sharedToken(issued({ sub: undefined })), 'ERR_JWT_CLAIM_VALIDATION_FAILED sub'],
  ['the id of an API key', issuedToken(rsa, issued({ sub: 'key:0123456789abcdef' })), 'sub'],
  [
    'the name of somebody twice',
    assemble(
      hs,
      JSON.stringify(issued()).replace('{', '{"sub":"root",').replace('alice', 'cli:root'),
      secretSigner,
    ),
    'sub',
  ],
];

describe('a token is refused', () => {
  it.each(hostile)('that has or is %s', async (_, token, reason) => {
    // By this alone is it no failure that counts, so nothing else may look like it.
    const hasExpired = reason === 'ERR_JWT_EXPIRED exp';
    expect(await bothBound.check(token)).toEqual({ refused: reason, ...(hasExpired && { hasExpired }) });
  });

  it.each([
    ['by the secret', '', [rsa], sharedToken(issued())],
    ['by an issuer', testJwtSecret, [], issuedToken(rsa, issued())],
    ['of any kind', '', [], sharedToken(issued(), '')],
  ])('%s, where none of its kind is taken', async (_, secret, keys, token) => {
    expect(await setUp({ secret, keys }).check(token)).toEqual({ refused: 'key' });
  });

  it('that names no key, where the issuer has several', async () => {
    const another = makeIssuerKey('rsa-2');
    const token = assemble({ alg: 'RS256' }, issued(), rsa.signer);

    const among = await setUp({ keys: [rsa, another] }).check(token);
    const alone = await setUp({ keys: [rsa] }).check(token);

    expect([among, alone]).toMatchObject([{ refused: 'key' }, { id: 'alice' }]);
  });

  it('by a key of fewer than 2048 bits, one for encryption, or one that is secret', async () => {
    const weak = { ...rsa, jwk: { ...rsa.jwk, n: Buffer.alloc(128, 0xab).toString('base64url') } };
    const forEncryption = { ...rsa, jwk: { ...rsa.jwk, use: 'enc' } };
    const secret = {
      ...rsa,
      jwk: { kty: 'oct', k: Buffer.from(testJwtSecret).toString('base64url'), kid: 'rsa-1' },
    };

    const refusals = await Promise.all(
      [weak, forEncryption, secret].map((key) => setUp({ keys: [key] }).check(issuedToken(rsa, issued()))),
    );

    expect(refusals).toEqual([{ refused: 'unusable key' }, { refused: 'key' }, { refused: 'key' }]);
  });

  it('when a single character of it is another', async () => {
    const tokens = [sharedToken(issued()), issuedToken(rsa, issued()), issuedToken(ec, issued())];
    const character = fc.constantFrom(...'ABab01-_.=~ ');

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...tokens), fc.nat(2_000), character, async (token, at, other) => {
        const index = at % token.length;
        const changed = token.slice(0, index) + other + token.slice(index + 1);
        fc.pre(changed !== token);

        const found = await bothBound.check(changed);

        expect(found).toHaveProperty('refused');
      }),
      { numRuns: 500 },
    );
  });

  it('whatever it is', async () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
    );

    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        expect(await bothBound.check(token)).toHaveProperty('refused');
      }),
      { numRuns: 1_000 },
    );
  });

  it('before the issuer is asked for keys, when it cannot be one of its tokens', async () => {
    const { asked, check } = setUp();

    for (const token of ['a.b.c', sharedToken(issued(), 'x'.repeat(32)), `${issuedToken(rsa, issued())}.a.b`])
      await check(token);

    expect(asked).toEqual([]);
  });
});

it('asks for the secrets at each token, so that they can be replaced', async () => {
  let secret = 'a'.repeat(32);
  const check = createTokenCheck({
    clock: fakeClock(),
    secrets: () => ({ current: secret }),
    keyIssuer: undefined,
    issuer: undefined,
    audience: undefined,
    adminRole: 'admin',
  });
  const token = sharedToken(claimsOf('alice'), 'b'.repeat(32));

  const before = await check(token, signal);
  secret = 'b'.repeat(32);
  const after = await check(token, signal);

  expect([before, after]).toMatchObject([{ refused: expect.any(String) }, { id: 'alice' }]);
});
