import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/lib/config/index.ts';
import { systemClock } from '../../../src/lib/core/index.ts';
import { createLogger, createTelemetry } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { openSecrets } from '../../../src/open-secrets.ts';
import { type KeyVaultServer, startKeyVaultServer } from '../../support/key-vault-server.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';

/* What production makes of the secrets of a vault. */

const { signal } = new AbortController();
const certificate = makeSelfSigned();
const trustedBefore = getCACertificates('default');
const databaseUrl = 'postgresql://app@db.example/crownsafe?sslmode=disable';
const weak = 'local-development-only-0123456789abcdef';
const strong = ['p7Qm2VxT9bLrK4wYhD8sNzG3cFjE6uAtR1oXvC5i', 'Zk3nW8yBq6RfT1mHs9LxPj4VgD7cUeA2'] as const;
let vault: KeyVaultServer;

beforeAll(() => setDefaultCACertificates([...trustedBefore, certificate.certificate]));
beforeEach(async () => {
  vault = await startKeyVaultServer(certificate);
  vault.add('database-url', databaseUrl);
  return () => vault[Symbol.asyncDispose]();
});
afterAll(() => setDefaultCACertificates(trustedBefore));

function open({ isProduction = true } = {}) {
  // That of the vault, which tells how old a version is.
  const clock = systemClock;
  const lines: string[] = [];
  const logger = createLogger({ clock, level: 'debug', write: (line) => lines.push(line) });
  const { metrics } = createTelemetry({
    clock,
    logger,
    instance: 'test',
    service: { name: 'test', version: '1', environment: 'test' },
    sampleRatio: 1,
    destinations: [],
  });
  // Only tests may have their vault elsewhere than in Azure.
  const config = loadConfig({
    ENVIRONMENT: 'test',
    USE_SECRETS_MANAGER: 'true',
    KEY_VAULT_URL: vault.url,
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  });
  const claims = Buffer.from('{"aud":"https://vault.azure.net"}').toString('base64url');
  const secrets = openSecrets(
    { ...config, isProduction },
    {
      clock,
      logger,
      metrics,
      resilience: createResilience({ clock, settings: { retries: 0 } }),
      identity: { getToken: async () => ({ token: `e30.${claims}.`, expiresOnTimestamp: 0 }) },
    },
  );
  return { secrets, lines };
}

describe('a secret of a vault that can be guessed', () => {
  it('is refused in production as the settings would be, and never shown', async () => {
    vault.add('secret-key', weak);
    const { secrets, lines } = open();

    await expect(secrets.ready(signal)).rejects.toMatchObject({
      code: 'unavailable',
      cause: { message: 'The secret secret-key in the vault can be guessed (SECRET_KEY)' },
    });
    expect(lines.join()).toContain('can be guessed');
    expect(lines.join()).not.toContain(weak);
  });

  it('is accepted beside the one that takes its place, so that nothing is lost', async () => {
    vault.add('secret-key', weak, 120);
    vault.add('secret-key', strong[0], 60);
    const { secrets } = open();
    await secrets.ready(signal);

    expect(secrets.secretKey()).toEqual({ current: strong[0], previous: weak });
  });

  it('is refused for bearer tokens also where another has taken its place', async () => {
    vault.add('secret-key', strong[0]);
    vault.add('jwt-secret', weak, 120);
    vault.add('jwt-secret', strong[1], 60);
    const { secrets } = open();

    await expect(secrets.ready(signal)).rejects.toMatchObject({
      cause: { message: 'The secret jwt-secret in the vault can be guessed (JWT_SECRET)' },
    });
  });

  it('is accepted elsewhere, and told to the audit with all others', async () => {
    vault.add('secret-key', weak, 120);
    vault.add('jwt-secret', strong[1]);
    const { secrets } = open({ isProduction: false });
    await secrets.ready(signal);

    expect(secrets.ofVault?.()).toEqual({
      SECRET_KEY: weak,
      SECRET_KEY_PREVIOUS: undefined,
      JWT_SECRET: strong[1],
      JWT_SECRET_PREVIOUS: undefined,
      DATABASE_URL: databaseUrl,
    });
  });
});
