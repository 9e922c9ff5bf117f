import { describe, expect, it } from 'vitest';
import { auditSettings, describeSettings, loadConfig } from '../../src/lib/config/index.ts';
import { appSettings, platformSettings, secretOf, settingFaults } from './checks/infra-settings.ts';
import { deployInfra, edited, type Variant, variants } from './reading/infra.ts';
import { readText } from './reading/project-files.ts';

const functionApp = 'infra/modules/functionapp.bicep';
const settingsOf = (variant: Variant, readFile = readText) => appSettings(deployInfra(variant, readFile));

/** As the platform hands them to the app: the reference replaced by the secret. */
const environmentOf = (variant: Variant, readFile = readText) => {
  const settings = settingsOf(variant, readFile) as Record<string, string>;
  return {
    ...settings,
    SECRET_KEY: secretOf(settings['SECRET_KEY']) ? 'x'.repeat(43) : settings['SECRET_KEY'],
  };
};

/** As `npm run deploy:prepare` makes one: 32 random bytes in base64url. */
const drawnSecret = 'p7Qm2VxT9bLrK4wYhD8sNzG3cFjE6uAtR1oXvC5iZk3';

const dev: Variant = { profile: 'dev', networkClosed: false };
const prod: Variant = { profile: 'prod', networkClosed: true };

describe('the settings of the function app', () => {
  it.each(variants)(
    'are those the app and the platform read, as $profile closed $networkClosed',
    (variant) => {
      const faults = settingFaults(settingsOf(variant), describeSettings(), Object.keys(platformSettings));

      expect(faults).toEqual([]);
    },
  );

  it.each([
    ["SECRET_KEY: '@", "SECRET: '@", ['SECRET_KEY is required and not set', 'SECRET is read by nobody']],
    ['CORS_ORIGINS:', 'CORS_ORIGIN:', ['CORS_ORIGIN is read by nobody']],
    [
      "AzureWebJobsDisableHomepage: 'true'",
      '',
      ['AzureWebJobsDisableHomepage is listed for the platform and not set'],
    ],
    ['string(databasePoolSize)', 'databasePoolSize', ['DATABASE_POOL_SIZE is no text']],
  ])('are refused when %s is %s', (from, to, faults) => {
    const settings = settingsOf(dev, edited(functionApp, from, to));

    expect(settingFaults(settings, describeSettings(), Object.keys(platformSettings))).toEqual(faults);
  });

  it('are refused when the app asks for one more, or one that is listed for the platform', () => {
    const known = [
      ...describeSettings(),
      { name: 'NEW_SETTING', required: true },
      { name: 'AZURE_TOKEN_CREDENTIALS', required: false },
    ];

    expect(settingFaults(settingsOf(dev), known, Object.keys(platformSettings))).toEqual([
      'NEW_SETTING is required and not set',
      'AZURE_TOKEN_CREDENTIALS is in the configuration and listed for the platform',
    ]);
  });

  it.each(variants)(
    'are a configuration the app starts with, as $profile closed $networkClosed',
    (variant) => {
      const config = loadConfig(environmentOf(variant));

      expect(config).toMatchObject({
        isProduction: true,
        CORS_ORIGINS: ['https://app.example', 'https://admin.example'],
        storage: { kind: 'identity', account: { blob: 'https://stabcdefghijklm.blob.core.windows.net' } },
        queueStorage: {
          kind: 'identity',
          account: { queue: 'https://stabcdefghijklm.queue.core.windows.net' },
        },
        backupStorage: {
          kind: 'identity',
          account: { blob: 'https://stbkabcdefghijklm.blob.core.windows.net' },
        },
        BACKUP_DATABASE_ROLE: 'backup',
      });
    },
  );

  it.each([
    ['AzureWebJobsStorage__tableServiceUri:', 'tables:', 'is required with the other two'],
    ['DATABASE_URL:', 'DATABASE:', 'DATABASE_URL: is required'],
    ['string(databasePoolSize)', "'many'", 'must be a whole number'],
    ['environmentKind\n', "'live'\n", 'ENVIRONMENT: '],
  ])('are no configuration with %s changed to %s', (from, to, problem) => {
    const environment = environmentOf(dev, edited(functionApp, from, to));

    expect(() => loadConfig(environment)).toThrow(problem);
  });

  it.each(variants)(
    'are as safe as settings can make them, as $profile closed $networkClosed',
    async (variant) => {
      const environment = { ...environmentOf(variant), SECRET_KEY: drawnSecret, WEBSITE_SITE_NAME: 'func' };
      const config = loadConfig(environment);

      const findings = await auditSettings({ config, nodeVersion: '24.21.0', now: Date.parse('2026-06-01') });

      // What only an operator can add, and what this version cannot do.
      expect(findings.map(({ id }) => id)).toEqual([
        'backups_not_encrypted',
        'no_alert_channel',
        'no_base_url',
      ]);
    },
  );

  it('are joined by further ones, which are no more than that', () => {
    const reference = '@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/metrics-token)';
    const furtherSettings = `LOG_LEVEL=debug; METRICS_TOKEN=${reference};BACKUP_DATABASE_ROLE=postgres;`;

    const settings = appSettings(deployInfra(dev, readText, { furtherSettings }));

    expect(settings).toEqual({ ...settingsOf(dev), LOG_LEVEL: 'debug', METRICS_TOKEN: reference });
    expect(settingFaults(settings, describeSettings(), Object.keys(platformSettings))).toEqual([]);
  });

  it('that can be added are those docs/deploy.md lists', () => {
    const known = describeSettings().map(({ name }) => name);
    const [, listed = ''] =
      /`FURTHER_SETTINGS`[^|]*\|[^|]*\|([^|]*)\|/.exec(readText('docs/deploy.md')) ?? [];
    const names = [...listed.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name]) => name);
    // Another way to storage or to the database than by identity; the templates have decided that.
    const instead = /CONNECTION_STRING|ACCOUNT_NAME|ACCOUNT_KEY|AzureWebJobsStorage/i;

    expect(names.sort()).toEqual(
      known.filter((name) => !(name in settingsOf(dev)) && !instead.test(name)).sort(),
    );
  });

  it('name the secret in the vault without a version', () => {
    const { resources, outputs } = deployInfra(prod);
    const settings = appSettings({ resources, outputs });

    expect(secretOf(settings['SECRET_KEY'])).toEqual({
      vault: outputs['AZURE_KEY_VAULT_URI'],
      secret: 'secret-key',
    });
    expect(secretOf('@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/a/0f)')).toBeUndefined();
  });

  it.each([
    { ...dev, pooledPort: '5432' },
    { ...prod, pooledPort: '6432' },
  ])('reach the database as the identity, verified, without a password: $profile', (variant) => {
    const { resources, outputs } = deployInfra(variant);
    const settings = appSettings({ resources, outputs });
    const parts = ['DATABASE_URL', 'DATABASE_DIRECT_URL'].map((name) => {
      const url = new URL(String(settings[name]));
      const { username, password, hostname, port, pathname, search } = url;
      return { username, password, hostname, port, pathname, search };
    });

    const common = {
      username: outputs['APP_IDENTITY_NAME'],
      password: '',
      hostname: outputs['POSTGRES_HOST'],
      pathname: `/${outputs['POSTGRES_DATABASE']}`,
      search: '?sslmode=verify-full',
    };
    expect(parts).toEqual([
      { ...common, port: variant.pooledPort },
      { ...common, port: '5432' },
    ]);
  });
});
