import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Clock, startDeadline, systemClock } from '../../../src/lib/core/index.ts';
import { createAzureIdentity } from '../../../src/lib/security/index.ts';
import { emulator, type Storage } from '../../../src/lib/storage/index.ts';
import {
  giveToken,
  type IdentityEndpoint,
  refuseToken,
  startIdentityEndpoint,
} from '../../support/identity-endpoint.ts';
import { startMisbehavingServer } from '../../support/misbehaving-server.ts';
import { type SecureAzurite, startSecureAzurite } from '../../support/secure-azurite.ts';
import { openStorage } from './open-storage.ts';

const { signal } = new AbortController();
const image = { contentType: 'image/png', signal };
const dayMs = 24 * 60 * 60_000;
/** Real time, but no waits before retries. */
const impatientClock: Clock = { ...systemClock, random: () => 0 };

let secure: SecureAzurite;
let endpoint: IdentityEndpoint;

beforeAll(async () => {
  [secure, endpoint] = await Promise.all([startSecureAzurite(), startIdentityEndpoint()]);
  for (const [name, value] of Object.entries(endpoint.environment)) vi.stubEnv(name, value);
});
afterEach(() => endpoint.behave(giveToken()));
afterAll(async () => {
  await secure[Symbol.asyncDispose]();
  await endpoint[Symbol.asyncDispose]();
});

/** The account of the emulator, or whatever is at `blob`, by an identity of its own: the SDK remembers their tokens for the whole process. */
function open({ clock = impatientClock, blob }: { clock?: Clock; blob?: string } = {}) {
  const clientId = randomUUID();
  const account = blob === undefined ? secure.endpointsOf(emulator.name) : { blob, queue: blob, table: blob };
  const identity = createAzureIdentity(clientId, { clock });
  const tokensAsked = () => endpoint.requests.filter(({ url }) => url.includes(clientId)).length;
  return { ...openStorage({ connection: { kind: 'identity', account }, identity, clock }), tokensAsked };
}

describe('a link signed by an identity', () => {
  it('reads with no other credential, over https, until it ends, and only its own blob', async () => {
    const store = open().storage.blobs(`links-${randomUUID()}`);
    await store.upload('a b/ü.png', Buffer.from('bytes'), image);
    await store.upload('other', Buffer.from('other'), image);
    const now = Date.now();

    const link = await store.sasUrl('a b/ü.png', {
      expiresAt: now + 60_000,
      contentDisposition: 'attachment; filename="a b.png"',
      signal,
    });
    const expired = await store.sasUrl('a b/ü.png', { expiresAt: now - 60_000, signal });
    const early = await store.sasUrl('other', { startsAt: now + 60_000, expiresAt: now + 120_000, signal });
    const foreign = link.replace(/links-([^?]+)\/a%20b\/%C3%BC\.png/, 'links-$1/other');
    const answers = await Promise.all([link, expired, early, foreign].map((url) => fetch(url)));

    expect(answers.map(({ status }) => status)).toEqual([200, 403, 403, 403]);
    expect(await answers[0]?.text()).toBe('bytes');
    expect(answers[0]?.headers.get('content-disposition')).toBe('attachment; filename="a b.png"');
    expect((await fetch(link, { method: 'DELETE' })).status).toBe(403);
    expect(Object.fromEntries(new URL(link).searchParams)).toMatchObject({
      sp: 'r',
      spr: 'https',
      sr: 'b',
      sks: 'b',
      skoid: expect.any(String),
      sktid: expect.any(String),
    });
  });

  it('shares its key with others for as long as that one does, and is signed by a new one beyond', async () => {
    let late = -2 * dayMs;
    const clock = { ...systemClock, now: () => Date.now() + late };
    const store = open({ clock }).storage.blobs(`links-${randomUUID()}`);
    await store.upload('a', Buffer.from('bytes'), image);
    const sign = (lifeMs: number) => store.sasUrl('a', { expiresAt: clock.now() + lifeMs, signal });
    const keyOf = (link: string) => new URL(link).searchParams.get('skt');

    const links = [await sign(6 * dayMs), await sign(60_000)];
    late = 0;
    links.push(await sign(4 * dayMs), await sign(6 * dayMs), await sign(60_000));

    const [first, second, third, fourth, fifth] = links.map(keyOf);
    expect([second, third]).toEqual([first, first]);
    expect(fourth).not.toBe(first);
    expect(fifth).toBe(fourth);
    const statuses = await Promise.all(links.map(async (link) => (await fetch(link)).status));
    expect(statuses).toEqual([200, 403, 200, 200, 200]);
  });
});

describe('the token of an identity', () => {
  it('is one for blobs, tables, queues and links', async () => {
    const { storage, tokensAsked } = open();
    const store = storage.blobs(`tokens-${randomUUID()}`);

    await Promise.all([
      store.upload('a', Buffer.from('x'), image),
      storage
        .table(`t${randomUUID().replaceAll('-', '')}`)
        .upsert({ partitionKey: 'p', rowKey: 'r' }, { signal }),
      storage.queue(`q-${randomUUID()}`).send('x', { signal }),
      store.sasUrl('a', { expiresAt: Date.now() + 60_000, signal }),
      storage.ping(`tokens-${randomUUID()}`, signal),
    ]);

    expect(tokensAsked()).toBe(1);
  });

  it('is one for storage, whatever the endpoint asks for', async () => {
    await using server = await startMisbehavingServer((request, response) => {
      request.resume();
      const challenge =
        'Bearer authorization_uri=https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/oauth2/authorize resource_id=https://management.azure.com';
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    }, secure.selfSigned);
    const { storage } = open({ blob: `${server.origin}/account` });

    await storage
      .blobs('photos')
      .exists('a', { signal })
      .catch(() => {});

    const audiences = server.requests.map(({ headers }) => {
      const [, payload = ''] = (headers.authorization ?? '').split('.');
      return JSON.parse(Buffer.from(payload, 'base64url').toString()).aud;
    });
    expect(audiences.length).toBeGreaterThan(0);
    for (const audience of audiences) expect(audience).toMatch(/^https:\/\/storage\.azure\.com/);
  });

  it('is replaced before it ends', async () => {
    const { storage, tokensAsked } = open();
    const store = storage.blobs(`tokens-${randomUUID()}`);
    endpoint.behave(giveToken(20));

    await store.exists('a', { signal });
    await store.exists('a', { signal });
    endpoint.behave(giveToken());
    await store.exists('a', { signal });
    await store.exists('a', { signal });

    expect(tokensAsked()).toBe(3);
  });

  it('that storage does not take is a refusal', async () => {
    const store = open().storage.blobs(`tokens-${randomUUID()}`);
    endpoint.behave(giveToken(-10));

    await expect(store.exists('a', { signal })).rejects.toMatchObject({
      code: 'upstream',
      cause: { statusCode: 403 },
    });
  });

  it('goes out with each try, and only the policy tries again', async () => {
    await using server = await startMisbehavingServer((request, response) => {
      request.resume();
      response.writeHead(503, { 'x-ms-error-code': 'ServerBusy' }).end();
    }, secure.selfSigned);
    const calls: ((storage: Storage) => Promise<unknown>)[] = [
      (storage) => storage.blobs('photos').head('a', { signal }),
      (storage) => storage.blobs('photos').sasUrl('a', { expiresAt: Date.now() + 60_000, signal }),
      (storage) => storage.table('rows').get('p', 'r', { signal }),
      (storage) => storage.queue('jobs').send('x', { signal }),
    ];

    const results = await Promise.allSettled(
      calls.map((call) => call(open({ blob: `${server.origin}/account` }).storage)),
    );

    expect(results).toEqual(
      calls.map(() => ({ status: 'rejected', reason: expect.objectContaining({ code: 'unavailable' }) })),
    );
    expect(server.requests).toHaveLength(4 * calls.length);
    for (const { headers } of server.requests) {
      expect(headers.authorization).toMatch(/^Bearer eyJ/);
      expect(headers['x-ms-client-request-id']).toBe('storage-test');
    }
  });
});

describe('an identity whose endpoint', () => {
  it('is down makes storage unavailable, after retries, until it is back', async () => {
    const { storage, events, tokensAsked } = open();
    const store = storage.blobs(`down-${randomUUID()}`);
    endpoint.behave((request) => request.socket.destroy());

    const failed = await store.exists('a', { signal }).catch((error: unknown) => error);
    const askedWhileDown = tokensAsked();
    endpoint.behave(giveToken());

    expect(failed).toMatchObject({ name: 'AppError', code: 'unavailable', cause: { name: 'IdentityError' } });
    expect(askedWhileDown).toBe(4);
    expect(events.map(({ type }) => type)).toEqual(['retry', 'retry', 'retry', 'give_up']);
    expect(events.at(-1)).toMatchObject({ errorType: 'IdentityError', code: 'identity_unavailable' });
    expect(await store.exists('a', { signal })).toBe(false);
  });

  it('is down is not missed while the token does', async () => {
    const { storage, events } = open();
    const store = storage.blobs(`down-${randomUUID()}`);
    endpoint.behave(giveToken(120));
    await store.upload('a', Buffer.from('x'), image);
    endpoint.behave((request) => request.socket.destroy());

    const found = [await store.exists('a', { signal }), await store.exists('a', { signal })];

    expect(found).toEqual([true, true]);
    expect(events.filter(({ type }) => type === 'retry')).toEqual([]);
  });

  it('is silent holds nobody up beyond his own deadline, and the others get their token', async () => {
    const { storage } = open();
    const store = storage.blobs(`silent-${randomUUID()}`);
    const asked = Promise.withResolvers<() => void>();
    endpoint.behave((request, response, number) =>
      asked.resolve(() => giveToken()(request, response, number)),
    );
    using deadline = startDeadline(systemClock, 50);

    const hasty = store.exists('a', { signal: deadline.signal }).catch((error: unknown) => error);
    const patient = store.exists('a', { signal });
    const answer = await asked.promise;
    const failed = await hasty;
    answer();

    expect(failed).toMatchObject({ code: 'deadline_exceeded' });
    expect(await patient).toBe(false);
  });

  it('knows no such identity fails at once, and tells the operator what to mend', async () => {
    const { storage, tokensAsked } = open();
    endpoint.behave(refuseToken(400, 'No User Assigned or Delegated Managed Identity found'));

    const call = storage.blobs('photos').exists('a', { signal });

    await expect(call).rejects.toMatchObject({
      name: 'AppError',
      code: 'unavailable',
      cause: { code: 'identity_refused', message: expect.stringContaining('AZURE_CLIENT_ID') },
    });
    expect(tokensAsked()).toBe(1);
  });
});

describe('a ping by identity', () => {
  it('asks for no more than the data roles allow', async () => {
    await using server = await startMisbehavingServer((request, response) => {
      request.resume();
      response.writeHead(404, { 'x-ms-error-code': 'ContainerNotFound' }).end();
    }, secure.selfSigned);

    await open({ blob: `${server.origin}/account` }).storage.ping('photos', signal);

    expect(server.requests.map(({ method, url }) => `${method} ${url.replace(/&timeout=\d+/, '')}`)).toEqual([
      'GET /account/photos?restype=container',
    ]);
  });

  it('fails when storage forbids it', async () => {
    await using server = await startMisbehavingServer((request, response) => {
      request.resume();
      response.writeHead(403, { 'x-ms-error-code': 'AuthorizationPermissionMismatch' }).end();
    }, secure.selfSigned);

    const ping = open({ blob: `${server.origin}/account` }).storage.ping('photos', signal);

    await expect(ping).rejects.toMatchObject({ code: 'upstream', cause: { statusCode: 403 } });
  });
});
