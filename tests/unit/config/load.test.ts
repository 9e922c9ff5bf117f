import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  describeSettings,
  loadConfig,
  silenceLibraries,
} from '../../../src/lib/config/index.ts';

type Environment = Record<string, string | undefined>;

const usable: Environment = {
  ENVIRONMENT: 'test',
  SECRET_KEY: 'a'.repeat(32),
  DATABASE_URL: 'postgresql://app:secret@127.0.0.1:5432/crownsafe',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};

const platformUris: Environment = {
  AzureWebJobsStorage: undefined,
  AzureWebJobsStorage__blobServiceUri: 'https://a.blob/',
  AzureWebJobsStorage__queueServiceUri: 'https://a.queue',
  AzureWebJobsStorage__tableServiceUri: 'https://a.table',
};

const issuer: Environment = {
  JWT_JWKS_URL: 'https://login.example/keys',
  JWT_ISSUER: 'https://login.example/',
  JWT_AUDIENCE: 'api://crownsafe',
};

/** The problems of an environment, one for each, without the dash. */
function problemsOf(environment: Environment): string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    const [, ...problems] = (error as ConfigError).message.split('\n');
    return problems.map((problem) => problem.replace(/^ {2}- /, ''));
  }
}

describe('loadConfig', () => {
  it('reads what is given and fills in the rest', () => {
    const config = loadConfig({ ...usable, UPLOAD_MAX_BYTES: '1024', ENABLE_AUTOMATED_BACKUPS: 'no' });

    expect(config).toMatchObject({
      ENVIRONMENT: 'test',
      isProduction: false,
      LOG_LEVEL: 'info',
      UPLOAD_MAX_BYTES: 1024,
      ENABLE_AUTOMATED_BACKUPS: false,
    });
    expect(config.METRICS_TOKEN).toBeUndefined();
  });

  it('believes the front end about callers only when it is told to', () => {
    expect(loadConfig(usable).EASY_AUTH).toBe(false);
    expect(loadConfig({ ...usable, EASY_AUTH: 'true' }).EASY_AUTH).toBe(true);
  });

  it('takes the keys of an issuer from this machine in tests', () => {
    const JWT_JWKS_URL = 'http://127.0.0.1:1/keys';

    expect(loadConfig({ ...usable, ...issuer, JWT_JWKS_URL })).toMatchObject({
      JWT_JWKS_URL,
      JWT_ADMIN_ROLE: 'admin',
    });
  });

  it('is in production unless it is told otherwise', () => {
    expect(loadConfig({ ...usable, ENVIRONMENT: undefined }).isProduction).toBe(true);
    expect(loadConfig({ ...usable, ENVIRONMENT: 'staging' }).isProduction).toBe(false);
  });

  it('takes an empty value for one that is not set', () => {
    const emptied = Object.fromEntries(describeSettings().map(({ name }) => [name, usable[name] ?? '']));

    expect(loadConfig(emptied)).toEqual(loadConfig(usable));
  });

  it('trusts one proxy by default, and none to five where it is told to', () => {
    expect(loadConfig(usable).TRUSTED_PROXY_HOPS).toBe(1);
    expect(loadConfig({ ...usable, TRUSTED_PROXY_HOPS: '0' }).TRUSTED_PROXY_HOPS).toBe(0);
    for (const hops of ['6', '-1', '1.5', 'one', ' 1'])
      expect(() => loadConfig({ ...usable, TRUSTED_PROXY_HOPS: hops })).toThrow('TRUSTED_PROXY_HOPS');
  });

  it('trims lists and drops their empty entries', () => {
    const config = loadConfig({ ...usable, CORS_ORIGINS: ' https://a.example , ,https://b.example,' });

    expect(config.CORS_ORIGINS).toEqual(['https://a.example', 'https://b.example']);
  });

  it('takes the address of the API without slashes at its end, and knows from the platform that it is in Azure', () => {
    const config = loadConfig({
      ...usable,
      PUBLIC_BASE_URL: 'HTTPS://API.example.com/v2//',
      WEBSITE_SITE_NAME: 'func-a',
    });

    expect(config.PUBLIC_BASE_URL).toBe('https://api.example.com/v2');
    expect([config.isInAzure, loadConfig(usable).isInAzure]).toEqual([true, false]);
  });

  it('takes a webhook without TLS for tests only', () => {
    const given = { ...usable, SLACK_WEBHOOK_URL: 'http://127.0.0.1:1/a' };

    expect(loadConfig(given).SLACK_WEBHOOK_URL).toBe('http://127.0.0.1:1/a');
  });

  it('cannot be changed once read', () => {
    const config = loadConfig({ ...usable, CORS_ORIGINS: 'https://a.example' });

    for (const part of [config, config.storage, config.CORS_ORIGINS, config.UPLOAD_EXTENSIONS]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it.each<[string, Environment, object]>([
    [
      'a connection string before all others',
      {
        AZURE_STORAGE_CONNECTION_STRING: 'AccountName=own;AccountKey=a2V5',
        AZURE_STORAGE_ACCOUNT_NAME: 'name',
        AZURE_STORAGE_ACCOUNT_KEY: 'a2V5',
      },
      { kind: 'connection-string', value: 'AccountName=own;AccountKey=a2V5' },
    ],
    [
      'an account with its key before the connection of the platform',
      { AZURE_STORAGE_ACCOUNT_NAME: 'name', AZURE_STORAGE_ACCOUNT_KEY: 'a2V5' },
      { kind: 'account-key', account: 'name', accountKey: 'a2V5' },
    ],
    [
      'an account without a key by identity',
      { AZURE_STORAGE_ACCOUNT_NAME: 'name' },
      { kind: 'identity', account: 'name' },
    ],
    [
      'the endpoints of the platform by identity',
      platformUris,
      {
        kind: 'identity',
        account: { blob: 'https://a.blob', queue: 'https://a.queue', table: 'https://a.table' },
      },
    ],
    [
      'the account of the platform by identity',
      { AzureWebJobsStorage: undefined, AzureWebJobsStorage__accountName: 'host' },
      { kind: 'identity', account: 'host' },
    ],
    [
      'the connection of the platform',
      {},
      { kind: 'connection-string', value: usable['AzureWebJobsStorage'] },
    ],
  ])('reaches storage by %s', (_, given, storage) => {
    expect(loadConfig({ ...usable, ...given }).storage).toEqual(storage);
  });

  it.each<[string, Environment]>([
    ['connection string', {}],
    ['identity', platformUris],
  ])('gives one object for one account, when all lies in that of the platform, by %s', (_, given) => {
    const { storage, queueStorage, backupStorage } = loadConfig({ ...usable, ...given });

    expect(queueStorage).toBe(storage);
    expect(backupStorage).toBe(storage);
  });

  it('sends jobs through the storage of the platform, wherever the files are', () => {
    const { storage, queueStorage } = loadConfig({
      ...usable,
      ...platformUris,
      AZURE_STORAGE_ACCOUNT_NAME: 'files',
    });

    expect(storage).toEqual({ kind: 'identity', account: 'files' });
    expect(queueStorage).toMatchObject({ account: { queue: 'https://a.queue' } });
  });

  it.each<[string, Environment, object]>([
    ['beside the files', {}, { kind: 'connection-string', value: usable['AzureWebJobsStorage'] }],
    [
      'in an account of their own by identity',
      { BACKUP_STORAGE_BLOB_URI: 'https://b.blob/' },
      { kind: 'identity', account: { blob: 'https://b.blob' } },
    ],
    [
      'in an account of their own by connection string',
      { BACKUP_STORAGE_CONNECTION_STRING: 'AccountName=b;AccountKey=a2V5' },
      { kind: 'connection-string', value: 'AccountName=b;AccountKey=a2V5' },
    ],
  ])('keeps backups %s', (_, given, backupStorage) => {
    expect(loadConfig({ ...usable, ...given }).backupStorage).toEqual(backupStorage);
  });
});

describe('loadConfig of unusable settings', () => {
  it.each([
    [{ DATABASE_URL: 'postgresql://u:p%zz@h/db' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgresql:///db' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgresql://u:p@h/' }, 'DATABASE_URL'],
    [{ DATABASE_URL: 'postgresql://h/db?sslmode=prefer' }, 'DATABASE_URL'],
    [{ CORS_ORIGINS: 'https://a.example/path' }, 'CORS_ORIGINS'],
    [{ PUBLIC_BASE_URL: 'ftp://api.example.com' }, 'PUBLIC_BASE_URL'],
    [{ PUBLIC_BASE_URL: 'https://api.example.com/?a' }, 'PUBLIC_BASE_URL'],
    [{ PUBLIC_BASE_URL: 'https://user@api.example.com' }, 'PUBLIC_BASE_URL'],
    [{ PUBLIC_BASE_URL: 'api.example.com' }, 'PUBLIC_BASE_URL'],
    [{ AZURE_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=truefoo' }, 'AZURE_STORAGE_CONNECTION_STRING'],
    [{ AZURE_STORAGE_CONNECTION_STRING: 'nonsense' }, 'AZURE_STORAGE_CONNECTION_STRING'],
    [{ AZURE_STORAGE_CONTAINER: 'crownsafe-trash' }, 'AZURE_STORAGE_CONTAINER'],
    [{ UPLOAD_EXTENSIONS: 'png,exe' }, 'UPLOAD_EXTENSIONS'],
  ])('refuses %j', (given, name) => {
    expect(() => loadConfig({ ...usable, ...given })).toThrow(`- ${name}`);
  });

  it('reports everything at once, also what concerns several settings', () => {
    const problems = problemsOf({
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://127.0.0.1/crownsafe',
      UPLOAD_MAX_BYTES: '0',
      CORS_ORIGINS: 'https://a.example,*',
      ENABLE_AUTOMATED_BACKUPS: 'perhaps',
    });

    expect(problems.map((problem) => problem.split(':')[0]).toSorted()).toEqual([
      'AZURE_STORAGE_CONNECTION_STRING',
      'CORS_ORIGINS',
      'DATABASE_URL',
      'ENABLE_AUTOMATED_BACKUPS',
      'LOG_LEVEL',
      'SECRET_KEY',
      'UPLOAD_MAX_BYTES',
    ]);
  });

  it('says of a missing setting that it is required', () => {
    expect(problemsOf({ ...usable, SECRET_KEY: undefined })).toEqual(['SECRET_KEY: is required']);
  });

  it.each<[Environment, string]>([
    [{ SECRET_KEY: 'a'.repeat(31) }, 'SECRET_KEY: must have at least 32 characters'],
    [
      { DATABASE_DIRECT_URL: 'localhost' },
      'DATABASE_DIRECT_URL: must be a postgresql:// URL, with user and password percent-encoded',
    ],
    [{ METRICS_TOKEN: 'short' }, 'METRICS_TOKEN: must have at least 16 characters'],
    [{ AZURE_STORAGE_CONTAINER: 'Images' }, 'AZURE_STORAGE_CONTAINER: must be a container name'],
    [{ AZURE_STORAGE_CONTAINER: 'a--b' }, 'AZURE_STORAGE_CONTAINER: must be a container name'],
    [
      { ...platformUris, AzureWebJobsStorage__queueServiceUri: undefined },
      'AzureWebJobsStorage__queueServiceUri: is required with the other two service URIs',
    ],
    [{ BACKUP_STORAGE_BLOB_URI: 'http://a.blob' }, 'BACKUP_STORAGE_BLOB_URI: must be an https:// URL'],
    [
      {
        BACKUP_STORAGE_BLOB_URI: 'https://a.blob',
        BACKUP_STORAGE_CONNECTION_STRING: 'AccountName=b;AccountKey=a2V5',
      },
      'BACKUP_STORAGE_BLOB_URI: cannot be given together with BACKUP_STORAGE_CONNECTION_STRING',
    ],
    [
      { BACKUP_STORAGE_BLOB_URI: 'https://a.blob/?sig=secret' },
      'BACKUP_STORAGE_BLOB_URI: must be an endpoint: no credentials, query or container',
    ],
    [
      { ...platformUris, AzureWebJobsStorage__accountName: 'host' },
      'AzureWebJobsStorage__accountName: cannot be given together with service URIs',
    ],
    [{ BACKUP_DATABASE_ROLE: 'no role' }, 'BACKUP_DATABASE_ROLE: must be the name of a role'],
    [{ AZURE_CLIENT_ID: 'me' }, 'AZURE_CLIENT_ID: must be a GUID'],
    [{ DATABASE_POOL_SIZE: '0' }, 'DATABASE_POOL_SIZE: must be from 1 to 100'],
    [
      { SECRET_KEY: '@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/secret-key)' },
      'SECRET_KEY: is a Key Vault reference that the platform could not resolve',
    ],
    [
      { AZURE_STORAGE_ACCOUNT_KEY: 'a2V5' },
      'AZURE_STORAGE_ACCOUNT_NAME: is required with AZURE_STORAGE_ACCOUNT_KEY',
    ],
    [
      { AzureWebJobsStorage: undefined },
      'AZURE_STORAGE_CONNECTION_STRING: is required, or AZURE_STORAGE_ACCOUNT_NAME, or AzureWebJobsStorage in one of its forms',
    ],
    [{ SLACK_WEBHOOK_URL: 'ftp://hooks.example/a' }, 'SLACK_WEBHOOK_URL: must be an https:// URL'],
    [
      { SLACK_WEBHOOK_URL: 'https://user:secret@hooks.example/a' },
      'SLACK_WEBHOOK_URL: must not hold credentials',
    ],
    ...['development', 'staging', 'production'].map((ENVIRONMENT): [Environment, string] => [
      { ENVIRONMENT, SLACK_WEBHOOK_URL: 'HTTP://127.0.0.1:1/a' },
      'SLACK_WEBHOOK_URL: must be an https:// URL',
    ]),
    [{ JWT_SECRET: 's'.repeat(31) }, 'JWT_SECRET: must have at least 32 characters'],
    [{ JWT_SECRET_PREVIOUS: 's'.repeat(31) }, 'JWT_SECRET_PREVIOUS: must have at least 32 characters'],
    [{ SECRET_KEY_PREVIOUS: 's'.repeat(31) }, 'SECRET_KEY_PREVIOUS: must have at least 32 characters'],
    [{ ...issuer, JWT_ISSUER: undefined }, 'JWT_ISSUER: is required with JWT_JWKS_URL'],
    [{ ...issuer, JWT_AUDIENCE: undefined }, 'JWT_AUDIENCE: is required with JWT_JWKS_URL'],
    [{ ...issuer, JWT_AUDIENCE: '' }, 'JWT_AUDIENCE: is required with JWT_JWKS_URL'],
    [{ ...issuer, JWT_JWKS_URL: 'http://login.example/keys' }, 'JWT_JWKS_URL: must be an https:// URL'],
    [
      { ...issuer, ENVIRONMENT: 'test', JWT_JWKS_URL: 'http://127.0.0.1.example/keys' },
      'JWT_JWKS_URL: must be an https:// URL',
    ],
    [
      { ...issuer, ENVIRONMENT: 'development', JWT_JWKS_URL: 'HTTP://127.0.0.1:1/keys' },
      'JWT_JWKS_URL: must be an https:// URL',
    ],
    [{ ...issuer, JWT_JWKS_URL: 'file:///etc/keys' }, 'JWT_JWKS_URL: must be an https:// URL'],
    [
      { ...issuer, JWT_JWKS_URL: 'https://user:secret@login.example/keys' },
      'JWT_JWKS_URL: must not hold credentials',
    ],
    [
      { PAGERDUTY_SERVICE_KEY: 'short' },
      'PAGERDUTY_SERVICE_KEY: must be an integration key of 32 letters or digits',
    ],
    [
      { ENVIRONMENT: undefined, CORS_ORIGINS: '*' },
      'CORS_ORIGINS: `*` is refused in production, name the origins',
    ],
  ])('explains %j', (given, problem) => {
    expect(problemsOf({ ...usable, ...given })).toEqual([problem]);
  });

  it.each(['1.5', '-1', 'many', '33554433', '1e9'])('refuses %s as the largest upload', (text) => {
    expect(problemsOf({ ...usable, UPLOAD_MAX_BYTES: text })).toEqual([
      expect.stringContaining('UPLOAD_MAX_BYTES: '),
    ]);
  });

  it('accepts any origin outside production', () => {
    expect(problemsOf({ ...usable, CORS_ORIGINS: '*' })).toEqual([]);
  });

  it('never shows a value', () => {
    const names = describeSettings().map(({ name }) => name);
    const token = fc.stringMatching(/^[a-z0-9]{12}$/);
    const value = fc.tuple(fc.constantFrom('', 'postgres://', 'AccountKey=', '-', '=='), token, fc.string());

    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (given) => {
        const environment = Object.fromEntries(
          Object.entries(given).map(([name, parts]) => [name, parts.join('')]),
        );

        const message = problemsOf(environment).join('\n');

        for (const [, shown] of Object.values(given)) expect(message).not.toContain(shown);
      }),
    );
  });
});

describe('describeSettings', () => {
  it('tells which settings are required and what the others are by default', () => {
    const described = new Map(describeSettings().map((setting) => [setting.name, setting]));

    expect(described.get('SECRET_KEY')).toMatchObject({
      required: true,
      defaultText: undefined,
      secret: true,
    });
    expect(described.get('UPLOAD_MAX_BYTES')).toMatchObject({ required: false, defaultText: '10485760' });
    expect(described.get('METRICS_TOKEN')).toMatchObject({ required: false, defaultText: undefined });
    expect(described.get('LOG_LEVEL')?.allowed).toEqual(['debug', 'info', 'warning', 'error']);
  });

  it('calls required what loading refuses to go without', () => {
    const required = describeSettings().filter((setting) => setting.required);

    for (const { name } of required) {
      expect(problemsOf({ ...usable, [name]: undefined })).toEqual([`${name}: is required`]);
    }
    expect(required.length).toBeGreaterThan(1);
  });
});

describe('silenceLibraries', () => {
  it('takes away the switches of libraries that write by themselves, and nothing else', () => {
    const environment = { AZURE_LOG_LEVEL: 'verbose', DEBUG: '*', LOG_LEVEL: 'debug' };

    silenceLibraries(environment);

    expect(environment).toEqual({ LOG_LEVEL: 'debug' });
  });
});
