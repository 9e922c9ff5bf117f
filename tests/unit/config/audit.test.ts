import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auditRules, auditSettings } from '../../../src/lib/config/audit/audit.ts';
import { criticalRules } from '../../../src/lib/config/audit/critical-rules.ts';
import { isWeakSecret } from '../../../src/lib/config/audit/weak-secret.ts';
import { ConfigError, loadConfig, refuseCritical } from '../../../src/lib/config/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const drawn = [
  'p7Qm2VxT9bLrK4wYhD8sNzG3cFjE6uAtR1oXvC5i',
  'Zk3nW8yBq6RfT1mHs9LxPj4VgD7cUeA2',
  'Mf5tQ9wXr2KzB7nVh4JdYc8LgS1pEa6U',
] as const;

/** A deployment that only has what this version cannot do without. */
const sound: Environment = {
  WEBSITE_SITE_NAME: 'func-crown-safe',
  SECRET_KEY: drawn[0],
  METRICS_TOKEN: drawn[1],
  DATABASE_URL: 'postgresql://id-app@db.example:6432/crownsafe?sslmode=verify-full',
  DATABASE_DIRECT_URL: 'postgresql://id-app@db.example:5432/crownsafe?sslmode=verify-full',
  AzureWebJobsStorage__blobServiceUri: 'https://data.blob.core.windows.net',
  AzureWebJobsStorage__queueServiceUri: 'https://data.queue.core.windows.net',
  AzureWebJobsStorage__tableServiceUri: 'https://data.table.core.windows.net',
  BACKUP_STORAGE_BLOB_URI: 'https://backup.blob.core.windows.net',
  PUBLIC_BASE_URL: 'https://api.example.com',
  SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x7Lq',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example',
};
const ownMachine: Environment = {
  ENVIRONMENT: 'development',
  SECRET_KEY: drawn[0],
  DATABASE_URL: 'postgresql://app:Vb7xQ2mKp9TfRw4Z@127.0.0.1:5433/crownsafe',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};
const accountKey = 'a2V5LW9mLWFuLWFjY291bnQtdGhhdC1pcy1sb25n';
const connectionString = (account: string, key = accountKey) =>
  `DefaultEndpointsProtocol=https;AccountName=${account};AccountKey=${key};EndpointSuffix=core.windows.net`;

const now = Date.parse('2026-06-01');
const audit = (environment: Environment, facts: { nodeVersion?: string; now?: number } = {}) =>
  auditSettings({ config: loadConfig(environment), nodeVersion: '24.21.0', now, ...facts });
const idsOf = (environment: Environment, facts?: { nodeVersion?: string; now?: number }) =>
  audit(environment, facts).map(({ id }) => id);

/** What brings each finding about in a deployment that is sound otherwise. */
const cases: readonly [id: string, changes: Environment, facts?: { nodeVersion?: string; now?: number }][] = [
  ['weak_secret_key', { SECRET_KEY: 'local-development-only-0123456789abcdef' }],
  [
    'weak_jwt_secret',
    { JWT_SECRET: 'x'.repeat(40), JWT_ISSUER: 'https://login.example', JWT_AUDIENCE: 'crown-safe' },
  ],
  ['weak_previous_secret_key', { SECRET_KEY_PREVIOUS: 'local-development-only-0123456789abcdef' }],
  ['weak_metrics_token', { METRICS_TOKEN: 'metrics-metrics-metrics' }],
  [
    'weak_database_password',
    {
      WEBSITE_SITE_NAME: '',
      DATABASE_URL: 'postgresql://app:hunter2@db.example/crownsafe?sslmode=verify-full',
    },
  ],
  ['secret_reused', { METRICS_TOKEN: drawn[0] }],
  [
    'password_in_settings',
    { DATABASE_URL: `postgresql://app:${drawn[1].slice(2)}@db.example/crownsafe?sslmode=verify-full` },
  ],
  [
    'storage_key',
    { BACKUP_STORAGE_BLOB_URI: '', BACKUP_STORAGE_CONNECTION_STRING: connectionString('backup') },
  ],
  ['previous_secret', { SECRET_KEY_PREVIOUS: drawn[2] }],
  ['developer_environment_in_azure', { ENVIRONMENT: 'development' }],
  ['easy_auth_without_platform', { EASY_AUTH: 'true', WEBSITE_AUTH_ENABLED: 'False' }],
  ['jwt_for_anybody', { JWT_SECRET: drawn[2], JWT_ISSUER: 'https://login.example' }],
  ['cors_wildcard', { ENVIRONMENT: 'staging', CORS_ORIGINS: 'https://app.example, *' }],
  ['cors_plain_http', { CORS_ORIGINS: 'http://app.example' }],
  ['no_client_address', { TRUSTED_PROXY_HOPS: '0' }],
  ['client_address_by_gateway', { TRUSTED_PROXY_HOPS: '2' }],
  ['plain_http_base_url', { PUBLIC_BASE_URL: 'http://api.example.com' }],
  ['database_without_tls', { DATABASE_URL: 'postgresql://app@db.example/crownsafe?sslmode=disable' }],
  ['database_unverified', { DATABASE_DIRECT_URL: 'postgresql://app@db.example/crownsafe?sslmode=no-verify' }],
  [
    'storage_without_tls',
    {
      WEBSITE_SITE_NAME: '',
      BACKUP_STORAGE_BLOB_URI: '',
      BACKUP_STORAGE_CONNECTION_STRING: connectionString('backup').replace('https', 'http'),
    },
  ],
  ['backups_beside_files', { BACKUP_STORAGE_BLOB_URI: 'https://data.blob.core.windows.net' }],
  ['backups_not_encrypted', {}],
  ['backups_off', { ENABLE_AUTOMATED_BACKUPS: 'false' }],
  ['chaos_on', { ENVIRONMENT: 'staging', CHAOS: 'blob:fault=0.1' }],
  ['node_end_of_life', {}, { nodeVersion: '22.1.0', now: Date.parse('2027-05-01') }],
  ['debug_logging', { LOG_LEVEL: 'debug' }],
  ['no_alert_channel', { SLACK_WEBHOOK_URL: '' }],
  ['plain_http_telemetry', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318' }],
  ['no_telemetry', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ['no_base_url', { PUBLIC_BASE_URL: '' }],
];

describe('the audit of settings', () => {
  it('finds in a sound deployment only what this version cannot do', () => {
    expect(idsOf(sound)).toEqual(['backups_not_encrypted']);
  });

  it('finds nothing on a developer’s machine', () => {
    expect(idsOf(ownMachine)).toEqual([]);
  });

  it.each(cases)('finds %s', (id, changes, facts) => {
    const findings = idsOf({ ...sound, ...changes }, facts);

    const alsoSo = id === 'weak_previous_secret_key' ? ['previous_secret'] : [];
    expect(new Set(findings)).toEqual(new Set([id, ...alsoSo, 'backups_not_encrypted']));
  });

  it('refuses by every critical rule that production does not refuse by itself', () => {
    const critical = auditRules.filter(({ level }) => level === 'critical').map(({ id }) => id);

    expect(critical.toSorted()).toEqual(
      [...criticalRules.map(({ id }) => id), 'developer_environment_in_azure'].toSorted(),
    );
  });

  it('has a case here for each of its rules', () => {
    expect(cases.map(([id]) => id).toSorted()).toEqual(auditRules.map(({ id }) => id).toSorted());
  });

  it('names commands with what they cannot do without', () => {
    const commands = auditRules.flatMap(({ fix }) => fix.match(/\b(?:az|crownsafe) [\w -]+/g) ?? []);
    const incomplete = [
      /^crownsafe roles apply(?! --login )/,
      /^az (?:storage account|webapp auth) update(?! --name )/,
    ];

    expect(commands).toContainEqual(expect.stringMatching(/^crownsafe roles apply --login /));
    expect(commands.filter((command) => incomplete.some((form) => form.test(command)))).toEqual([]);
  });

  it('names the worst first, and where it is', () => {
    const findings = audit({
      ...sound,
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      SECRET_KEY: 'x'.repeat(40),
      METRICS_TOKEN: 'x'.repeat(40),
    });

    expect(findings.map(({ level }) => level)).toEqual(['critical', 'high', 'high', 'medium', 'low']);
    expect(findings.find(({ id }) => id === 'secret_reused')?.title).toMatch(/: SECRET_KEY, METRICS_TOKEN$/);
  });

  it('never shows a secret', () => {
    const secrets = ['geheimgeheim-0123456789', 'aGVpbWxpY2hoZWltbGljaA=='] as const;
    const text = JSON.stringify(
      audit({
        ENVIRONMENT: 'staging',
        SECRET_KEY: secrets[0].repeat(2),
        METRICS_TOKEN: secrets[0].repeat(2),
        DATABASE_URL: `postgresql://app:${secrets[0]}@db.example/x?sslmode=disable`,
        AzureWebJobsStorage: connectionString('data', secrets[1]),
        WEBSITE_SITE_NAME: 'a',
      }),
    );

    expect(text).toContain('weak_secret_key');
    for (const secret of [...secrets, encodeURIComponent(secrets[1])]) expect(text).not.toContain(secret);
  });

  it('lets a weak SECRET_KEY be replaced without losing what it has made', () => {
    refuseCritical(loadConfig({ ...sound, SECRET_KEY_PREVIOUS: 'x'.repeat(40) }));
  });

  it('looks at a secret of bearer tokens that is still accepted, too, but not where there are none', () => {
    const tokens = { ...sound, JWT_SECRET_PREVIOUS: 'x'.repeat(40), JWT_ISSUER: 'a', JWT_AUDIENCE: 'b' };
    const [worst] = audit({ ...tokens, JWT_SECRET: drawn[2] });

    expect(worst).toMatchObject({
      id: 'weak_jwt_secret',
      title: expect.stringMatching(/: JWT_SECRET_PREVIOUS$/),
    });
    expect(() => refuseCritical(loadConfig({ ...tokens, JWT_SECRET: drawn[2] }))).toThrow(ConfigError);
    expect(idsOf(tokens)).not.toContain('weak_jwt_secret');
  });

  it('looks at each endpoint of storage', () => {
    const endpoints = 'BlobEndpoint=https://a.example;TableEndpoint=http://t.example';

    expect(idsOf({ ...ownMachine, AzureWebJobsStorage: `${connectionString('a')};${endpoints}` })).toContain(
      'storage_without_tls',
    );
  });

  it('names each secret that is still accepted', () => {
    const previous = { SECRET_KEY_PREVIOUS: drawn[2], JWT_SECRET_PREVIOUS: `${drawn[2]}Kd7w` };
    const found = audit({ ...sound, ...previous }).find(({ id }) => id === 'previous_secret');

    expect(found?.title).toMatch(/: SECRET_KEY_PREVIOUS, JWT_SECRET_PREVIOUS$/);
  });

  it.each<[string, Environment, string]>([
    [
      'App Service Authentication where it is on',
      { ...sound, EASY_AUTH: 'true', WEBSITE_AUTH_ENABLED: 'True' },
      'easy_auth_without_platform',
    ],
    ['a wildcard that leads nowhere but here', { ...ownMachine, CORS_ORIGINS: '*' }, 'cors_wildcard'],
    [
      'a collector on this machine',
      { ...sound, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://[::1]:4318' },
      'plain_http_telemetry',
    ],
    [
      'an emulator of storage on this machine',
      {
        ...ownMachine,
        AzureWebJobsStorage: `${connectionString('a').replace('https', 'http')};BlobEndpoint=http://127.0.0.1:10000/a;QueueEndpoint=http://localhost:10001/a;TableEndpoint=https://t.example/a`,
      },
      'storage_without_tls',
    ],
    [
      'one account named twice',
      {
        ...sound,
        AZURE_STORAGE_CONNECTION_STRING: connectionString('data'),
        AzureWebJobsStorage: connectionString('data'),
      },
      'secret_reused',
    ],
    [
      'one login named twice',
      {
        ...sound,
        DATABASE_URL: `postgresql://app:${drawn[1]}@db.example/crownsafe`,
        DATABASE_DIRECT_URL: `postgresql://app:${drawn[1]}@db.example:5433/crownsafe`,
        METRICS_TOKEN: '',
      },
      'secret_reused',
    ],
  ])('is content with %s', (_, environment, id) => {
    expect(idsOf(environment)).not.toContain(id);
  });

  it.each([
    ['18.20.0', true],
    ['23.1.0', true],
    ['20.1.0', true],
    ['22.1.0', false],
    ['24.21.0', false],
    ['25.2.0', false],
    ['26.0.0', false],
    ['27.0.0', false],
  ])('knows whether Node.js %s gets fixes in June 2026: %s', (nodeVersion, isOver) => {
    expect(idsOf(ownMachine, { nodeVersion })).toEqual(isOver ? ['node_end_of_life'] : []);
  });
});

describe('a critical finding', () => {
  it('keeps the app from starting in production, all of them in one message', () => {
    const environment = { ...sound, SECRET_KEY: 'x'.repeat(40), EASY_AUTH: 'true' };
    const start = () => refuseCritical(loadConfig(environment));

    expect(start).toThrow(ConfigError);
    expect(start).toThrow(
      /not safe in production:\n {2}- weak_secret_key: .+\n {2}- easy_auth_without_platform: .+$/,
    );
  });

  it('keeps it from starting nowhere else, and nothing else does', () => {
    const staging = { ...sound, ENVIRONMENT: 'staging', SECRET_KEY: 'x'.repeat(40) };
    const mereHigh = { ...sound, METRICS_TOKEN: 'x'.repeat(40), PUBLIC_BASE_URL: 'http://api.example.com' };

    for (const environment of [staging, mereHigh]) refuseCritical(loadConfig(environment));
  });
});

describe('a secret', () => {
  it.each([
    'x'.repeat(64),
    'abcdefgh'.repeat(5),
    'change-me-Vb7xQ2mKp9TfRw4ZLs8nHd3c',
    'CHANGEME-Vb7xQ2mKp9TfRw4ZLs8nHd3c',
    'Vb7xQ2mKp9TfRw4ZLs8nHd3c-my-Secret',
    'Vb7xQ2mKp90123456789TfRw4ZLs8nHd3c',
    'Vb7xQ2mKp9gfedcbaTfRw4ZLs8nHd3cYu5',
    'aabbaabbabababbbaabbaabbabababbbab',
    'Vb7xQ2mKp9Vb7xQ2mKp9Vb7xQ2mKp9Vb7x',
  ])('is weak as %s', (text) => {
    expect(isWeakSecret(text, 80)).toBe(true);
  });

  it('is weak when it has too few characters for its bits', () => {
    expect([isWeakSecret('Vb7xQ2mK', 40), isWeakSecret('Vb7xQ2mKp9Tf', 40)]).toEqual([true, false]);
  });

  it('is not weak when it is drawn, in hex or base64', () => {
    const bytes = fc.noBias(fc.uint8Array({ minLength: 32, maxLength: 32, size: 'max' }));
    const codings = fc.constantFrom<BufferEncoding>('hex', 'base64', 'base64url');

    // By chance one in 10^7 does hold a word, so it is always the same two thousand.
    fc.assert(
      fc.property(bytes, codings, (random, coding) => {
        expect(isWeakSecret(Buffer.from(random).toString(coding), 80)).toBe(false);
      }),
      { numRuns: 2_000, seed: 20_260_601 },
    );
  });
});
