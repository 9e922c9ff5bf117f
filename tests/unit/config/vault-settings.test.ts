import { describe, expect, it } from 'vitest';
import { faultOfSetting, loadConfig } from '../../../src/lib/config/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const usable: Environment = {
  ENVIRONMENT: 'test',
  SECRET_KEY: 'a'.repeat(32),
  DATABASE_URL: 'postgresql://app:secret@127.0.0.1:5432/crownsafe',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};

const vault: Environment = {
  USE_SECRETS_MANAGER: 'true',
  KEY_VAULT_URL: 'https://crown-safe.vault.azure.net/',
};

describe('the settings of a vault', () => {
  it('does without the secrets that the app reads from a vault itself', () => {
    const reference = '@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/secret-key)';
    const config = loadConfig({ ...usable, ...vault, SECRET_KEY: reference, DATABASE_URL: undefined });

    expect(config).toMatchObject({
      USE_SECRETS_MANAGER: true,
      KEY_VAULT_URL: 'https://crown-safe.vault.azure.net',
      SECRET_KEY_NAME: 'secret-key',
      JWT_SECRET_NAME: 'jwt-secret',
      DATABASE_URL_NAME: 'database-url',
    });
    expect([config.SECRET_KEY, config.DATABASE_URL]).toEqual([undefined, undefined]);
  });

  it('reads a vault on this machine in tests', () => {
    const KEY_VAULT_URL = 'https://127.0.0.1:8443';

    expect(loadConfig({ ...usable, ...vault, KEY_VAULT_URL }).KEY_VAULT_URL).toBe(KEY_VAULT_URL);
  });

  it.each<[Environment, string]>([
    [{ ...vault, KEY_VAULT_URL: undefined }, 'KEY_VAULT_URL: is required with USE_SECRETS_MANAGER'],
    [{ ...vault, KEY_VAULT_URL: 'http://v.vault.azure.net' }, 'KEY_VAULT_URL: must be an https:// URL'],
    ...['https://vault.azure.net', 'https://crown-safe.example', 'https://127.0.0.1'].map(
      (KEY_VAULT_URL): [Environment, string] => [
        { ...vault, ENVIRONMENT: 'staging', KEY_VAULT_URL },
        'KEY_VAULT_URL: must be the address of a vault, as https://<name>.vault.azure.net',
      ],
    ),
    [{ ...vault, SECRET_KEY_NAME: 'a/b' }, 'SECRET_KEY_NAME: must have 1–127 letters, digits or hyphens'],
    [{ ...vault, SECRET_KEY: 'short' }, 'SECRET_KEY: must have at least 32 characters'],
    [
      { ...vault, METRICS_TOKEN: '@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/m)' },
      'METRICS_TOKEN: is a Key Vault reference that the platform could not resolve',
    ],
  ])('are refused as %j', (given, problem) => {
    expect(() => loadConfig({ ...usable, ...given })).toThrow(`The settings are not usable:\n  - ${problem}`);
  });
});

describe('a value from a vault', () => {
  it.each([
    ['SECRET_KEY', 'a'.repeat(32), undefined],
    ['SECRET_KEY', 'hunter2', 'must have at least 32 characters'],
    ['JWT_SECRET', 'hunter2', 'must have at least 32 characters'],
    ['DATABASE_URL', 'postgresql://app:hunter2@db/crownsafe', undefined],
    ['DATABASE_URL', 'hunter2', 'must be a postgresql:// URL, with user and password percent-encoded'],
  ] as const)('of %s is held against the setting', (name, value, fault) => {
    expect(faultOfSetting(name, value)).toBe(fault);
  });
});
