import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAzureIdentity, databaseToken } from '../../../src/lib/security/index.ts';
import {
  giveToken,
  type IdentityEndpoint,
  refuseToken,
  startIdentityEndpoint,
} from '../../support/identity-endpoint.ts';
import type { Answer } from '../../support/misbehaving-server.ts';

/* The SDK remembers tokens by the id of their identity for the whole process, so every test has one of its own. */

let endpoint: IdentityEndpoint;

beforeAll(async () => {
  endpoint = await startIdentityEndpoint();
  for (const [name, value] of Object.entries(endpoint.environment)) vi.stubEnv(name, value);
});
afterEach(() => endpoint.behave(giveToken()));
afterAll(async () => {
  vi.unstubAllEnvs();
  await endpoint[Symbol.asyncDispose]();
});

const storageScope = 'https://storage.azure.com/.default';
const openIdentity = () => {
  const clientId = randomUUID();
  const asked = () =>
    endpoint.requests
      .map(({ url }) => new URL(url, 'http://localhost').searchParams)
      .filter((parameters) => parameters.get('client_id') === clientId);
  return { identity: createAzureIdentity(clientId), asked };
};
const claimsOf = (token = '') => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const plain = (status: number, text: string): Answer => {
  return (_request, response) => response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
};

describe('the identity of the app', () => {
  it('has tokens for storage and for the database, each asked for once', async () => {
    const { identity, asked } = openIdentity();

    const tokens = await Promise.all(Array.from({ length: 5 }, () => identity.getToken(storageScope)));
    const password = await databaseToken(identity);
    await databaseToken(identity);

    expect(new Set(tokens.map((token) => token?.token)).size).toBe(1);
    expect(claimsOf(tokens[0]?.token).aud).toBe('https://storage.azure.com');
    expect(claimsOf(password).aud).toBe('https://ossrdbms-aad.database.windows.net');
    expect(asked().map((parameters) => parameters.get('resource'))).toEqual([
      'https://storage.azure.com',
      'https://ossrdbms-aad.database.windows.net',
    ]);
  });

  it('lets no SDK keep its tokens, which would renew them unwatched', async () => {
    const token = await openIdentity().identity.getToken(storageScope);

    expect(token?.expiresOnTimestamp).toBe(0);
  });

  it.each<[string, Answer]>([
    ['answers 500', plain(500, 'oops')],
    ['answers 503', refuseToken(503, 'The service is restarting')],
    ['is asked too often', refuseToken(429, 'Slow down')],
    ['is being set up', refuseToken(404, 'Not yet')],
    ['cuts the connection', (request) => request.socket.destroy()],
    ['answers what nobody can read', plain(200, '<html></html>')],
  ])('is unavailable while its endpoint %s, and asked once in each try', async (_, answer) => {
    const { identity, asked } = openIdentity();
    endpoint.behave(answer);

    const failed = await identity.getToken(storageScope).catch((error: unknown) => error);
    const askedBefore = asked().length;
    endpoint.behave(giveToken());
    const token = await identity.getToken(storageScope);

    expect(failed).toMatchObject({ name: 'IdentityError', code: 'identity_unavailable' });
    expect(askedBefore).toBe(1);
    expect(claimsOf(token?.token).aud).toBe('https://storage.azure.com');
  });

  it.each<[string, Answer]>([
    ['is not assigned to the app', refuseToken(400, 'No User Assigned or Delegated Managed Identity found')],
    ['is not allowed', refuseToken(403, 'Forbidden')],
  ])('is refused when it %s, in words that help', async (_, answer) => {
    endpoint.behave(answer);

    const failed = await databaseToken(openIdentity().identity).catch((error: unknown) => error);

    expect(failed).toMatchObject({
      name: 'IdentityError',
      code: 'identity_refused',
      message: expect.stringContaining('AZURE_CLIENT_ID'),
    });
    expect(inspect(failed, { depth: 10 })).not.toContain(endpoint.environment['IDENTITY_HEADER']);
  });

  it('is refused when AZURE_TOKEN_CREDENTIALS names what the SDK does not know', async () => {
    vi.stubEnv('AZURE_TOKEN_CREDENTIALS', 'magic');
    const failed = await openIdentity()
      .identity.getToken(storageScope)
      .catch((error: unknown) => error);
    vi.stubEnv('AZURE_TOKEN_CREDENTIALS', 'ManagedIdentityCredential');

    expect(failed).toMatchObject({
      code: 'identity_refused',
      cause: { message: expect.stringContaining('AZURE_TOKEN_CREDENTIALS = magic') },
    });
  });
});
