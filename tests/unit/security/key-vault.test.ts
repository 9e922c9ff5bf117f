import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createResilience, type ResilienceSettings } from '../../../src/lib/resilience/index.ts';
import { openKeyVault } from '../../../src/lib/security/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { type KeyVaultServer, refuseCaller, startKeyVaultServer } from '../../support/key-vault-server.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';

const { signal } = new AbortController();
const certificate = makeSelfSigned();
const trustedBefore = getCACertificates('default');
let server: KeyVaultServer;

beforeAll(() => setDefaultCACertificates([...trustedBefore, certificate.certificate]));
beforeEach(async () => {
  server = await startKeyVaultServer(certificate);
  return () => server[Symbol.asyncDispose]();
});
afterAll(() => setDefaultCACertificates(trustedBefore));

const claims = (aud: string) => Buffer.from(JSON.stringify({ aud })).toString('base64url');

function open(settings: Partial<ResilienceSettings> = { retries: 0 }) {
  const scopes: unknown[] = [];
  const resilience = createResilience({ clock: fakeClock(), settings });
  const vault = openKeyVault({
    url: server.url,
    identity: {
      async getToken(scope) {
        scopes.push(scope);
        const token = `e30.${claims(String(scope).replace('/.default', ''))}.`;
        return { token, expiresOnTimestamp: 0 };
      },
    },
    call: (operation, abort, work) => resilience.run('key-vault', operation, work, { signal: abort }),
  });
  return { vault, scopes };
}

describe('a vault', () => {
  it('lists the enabled versions of a secret over all pages, newest first', async () => {
    const versions = [40, 10, 30, 20, 50].map((age) =>
      server.add('secret-key', `made ${age} minutes ago`, age),
    );
    server.disable('secret-key', versions[3] ?? '');

    const listed = await open().vault.enabledVersions('secret-key', signal);

    expect(listed.map(({ id }) => id)).toEqual([versions[1], versions[2], versions[0], versions[4]]);
    expect((listed[0]?.createdAt ?? 0) - (listed[1]?.createdAt ?? 0)).toBe(20 * 60_000);
  });

  it('tells when a version was enabled, and not only when it was made', async () => {
    const version = server.add('secret-key', 'staged', 60);
    server.disable('secret-key', version);
    server.enable('secret-key', version);

    const [listed] = await open().vault.enabledVersions('secret-key', signal);

    expect(listed?.id).toBe(version);
    expect(Math.round(((listed?.changedAt ?? 0) - (listed?.createdAt ?? 0)) / 60_000)).toBe(60);
  });

  it('gives the value of a version', async () => {
    const version = server.add('secret-key', 'the value');
    server.add('secret-key', 'another');

    expect(await open().vault.read('secret-key', version, signal)).toBe('the value');
  });

  it('takes versions of the same second in the same order, however they are listed', async () => {
    const versions = ['a', 'b', 'c'].map((value) => server.add('secret-key', value));

    const listed = await open().vault.enabledVersions('secret-key', signal);

    expect(listed.map(({ id }) => id)).toEqual(versions.toSorted());
  });

  it('has no versions of a secret that is not there, whichever way it says so', async () => {
    const { vault } = open();
    const empty = await vault.enabledVersions('secret-key', signal);
    server.behave((_request, response) =>
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":{"code":"SecretNotFound"}}'),
    );

    expect(empty).toEqual([]);
    expect(await vault.enabledVersions('secret-key', signal)).toEqual([]);
  });

  it('is sent tokens for vaults only, whatever it asks for', async () => {
    server.behave((_request, response) => {
      const challenge =
        'Bearer authorization="https://login.example/t", resource="https://management.azure.com"';
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const { vault, scopes } = open();

    await expect(vault.enabledVersions('secret-key', signal)).rejects.toMatchObject({
      code: 'vault_refused',
    });
    expect(new Set(scopes)).toEqual(new Set(['https://vault.azure.net/.default']));
  });

  it('that refuses the app says what to do about it', async () => {
    server.behave(refuseCaller);

    await expect(open().vault.enabledVersions('secret-key', signal)).rejects.toMatchObject({
      name: 'SecretsError',
      code: 'vault_refused',
      message: `The vault ${server.url} refuses the app: give its identity the role Key Vault Secrets User, and let its network in`,
    });
  });

  it('that fails is asked again by our policy alone', async () => {
    const fail = (status: number) => {
      server.behave((_request, response) => response.writeHead(status).end());
    };
    fail(503);
    const failing = open().vault.enabledVersions('secret-key', signal);

    await expect(failing).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The key vault is not available at the moment',
    });
    expect(server.requests).toHaveLength(1);
  });

  it('is not waited for once the caller has gone', async () => {
    server.behave(() => {});
    const caller = new AbortController();
    const asking = open().vault.enabledVersions('secret-key', caller.signal);
    await expect.poll(() => server.requests.length).toBe(1);
    caller.abort(new Error('gone'));

    await expect(asking).rejects.toThrow('gone');
  });
});
