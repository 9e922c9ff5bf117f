import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import {
  type Credentials,
  createAuthenticator,
  isFailedCredential,
} from '../../../src/lib/security/index.ts';

const { signal } = new AbortController();
const alice = { id: 'alice', scopes: new Set(['files:read'] as const), projectIds: ['p1'] };

/** Knows one caller by each kind of credential: the text `good`. */
function setUp({ easyAuth = false } = {}) {
  const refusals: unknown[] = [];
  const asked: string[] = [];
  const identityOf = (text: string) => {
    asked.push(text);
    return text === 'good' ? alice : { refused: 'why', hasExpired: text === 'expired' };
  };
  const authenticate = createAuthenticator({
    checkApiKey: async (text) => {
      asked.push(text);
      return text === 'good' ? { ...alice, id: 'key:1' } : undefined;
    },
    checkToken: async (text) => identityOf(text),
    readPrincipal: easyAuth ? identityOf : undefined,
    findProjects: async (userId, claimed) => [...claimed, `of ${userId}`],
    onRefusal: (...refusal) => refusals.push(refusal),
  });
  const ask = (credentials: Partial<Credentials>) =>
    authenticate(
      { apiKey: undefined, authorization: undefined, clientPrincipal: undefined, ...credentials },
      signal,
    ).catch((error: unknown) => error);
  return { ask, asked, refusals };
}

const challenge = 'ApiKey realm="crownsafe", Bearer realm="crownsafe"';
const refused = (message: string, header = challenge) =>
  expect.objectContaining({
    code: 'unauthorized',
    message,
    headers: { 'www-authenticate': header },
    errors: undefined,
  });
const invalid = 'The credential is not valid';
const none = 'Send an API key in x-api-key, or a bearer token in authorization';

describe('createAuthenticator', () => {
  it('knows a caller by an API key', async () => {
    expect(await setUp().ask({ apiKey: 'good' })).toMatchObject({ id: 'key:1', projectIds: ['p1'] });
  });

  it.each(['Bearer good', 'bearer good', 'BEARER   good'])(
    'knows a caller by a token: %s',
    async (authorization) => {
      expect(await setUp().ask({ authorization })).toEqual({ ...alice, projectIds: ['p1', 'of alice'] });
    },
  );

  it('knows a caller by the word of the front end, where there is one', async () => {
    const { ask } = setUp({ easyAuth: true });

    expect(await ask({ clientPrincipal: 'good' })).toEqual({ ...alice, projectIds: ['p1', 'of alice'] });
  });

  it('does not look at the word of a front end where there is none', async () => {
    const { ask, asked } = setUp();

    expect(await ask({ clientPrincipal: 'good' })).toEqual(refused(none));
    expect(asked).toEqual([]);
  });

  it('believes a credential before the front end, and does not fall back on it', async () => {
    const { ask } = setUp({ easyAuth: true });

    expect(await ask({ apiKey: 'good', clientPrincipal: 'bad' })).toMatchObject({ id: 'key:1' });
    expect(await ask({ apiKey: 'bad', clientPrincipal: 'good' })).toEqual(refused(invalid));
    expect(await ask({ authorization: 'Bearer bad', clientPrincipal: 'good' })).toMatchObject({
      code: 'unauthorized',
    });
    expect(await ask({ authorization: '', clientPrincipal: 'good' })).toMatchObject({ code: 'unauthorized' });
    expect(await ask({ apiKey: '', clientPrincipal: 'good' })).toMatchObject({ code: 'unauthorized' });
  });

  it('refuses two credentials, also when both are good', async () => {
    const { ask, asked } = setUp();

    const refusal = await ask({ apiKey: 'good', authorization: 'Bearer good' });

    expect(refusal).toEqual(refused('Send one credential, in x-api-key or in authorization, not both'));
    expect(asked).toEqual([]);
  });

  it('tells who sends none how to send one', async () => {
    expect(await setUp().ask({})).toEqual(refused(none));
    expect(await setUp({ easyAuth: true }).ask({})).toEqual(refused(none));
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic good',
    'good',
    'Bearer good, Bearer good',
    'Bearer a b',
    'xBearer good',
  ])('takes nothing else for a token: %j', async (authorization) => {
    const { ask, asked } = setUp();

    expect(await ask({ authorization })).toEqual(refused('Only a bearer token is taken in authorization'));
    expect(asked).toEqual([]);
  });

  it('tells those who count failures which tokens were good, and nobody else', async () => {
    const refusals = await Promise.all(
      [
        { authorization: 'Bearer expired' },
        { authorization: 'Bearer bad' },
        { authorization: 'Basic expired' },
        { apiKey: 'expired' },
        { apiKey: 'bad', authorization: 'Bearer expired' },
        {},
      ].map((credentials) => setUp().ask(credentials)),
    );

    expect(refusals.map(isFailedCredential)).toEqual([false, true, true, true, true, true]);
    expect(refusals[0]).toEqual(refused(invalid, `${challenge}, error="invalid_token"`));
    expect(isFailedCredential(new AppError('unavailable', 'no'))).toBe(false);
  });

  it('refuses all that is not good in the same words, and tells why only to the log', async () => {
    const { ask, refusals } = setUp({ easyAuth: true });

    const found = [
      await ask({ apiKey: 'bad' }),
      await ask({ authorization: 'Bearer bad' }),
      await ask({ clientPrincipal: 'bad' }),
    ];

    expect(found).toEqual([
      refused(invalid),
      refused(invalid, `${challenge}, error="invalid_token"`),
      refused(invalid),
    ]);
    expect(refusals).toEqual([
      ['token', 'why'],
      ['principal', 'why'],
    ]);
  });
});
