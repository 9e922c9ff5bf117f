import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createKeyring, newApiKey } from '../../../src/lib/security/index.ts';
import { adminApi, apiWith, apiWithToken, bodyOf, inDatabase } from '../../support/api.ts';
import { testSecretKey } from '../../support/app.ts';
import { crownsafe } from '../../support/crownsafe.ts';
import {
  giveToken,
  type IdentityEndpoint,
  refuseToken,
  startIdentityEndpoint,
} from '../../support/identity-endpoint.ts';
import { type Instance, startInstance } from '../../support/instance.ts';
import { claimsOf, sharedToken } from '../../support/jwt.ts';
import { type KeyVaultServer, refuseCaller, startKeyVaultServer } from '../../support/key-vault-server.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';
import { startTelemetryEndpoint, type TelemetryEndpoint } from '../../support/telemetry-endpoint.ts';
import { makeTemporaryFolder } from '../../support/temporary-folder.ts';
import { type Planted, randomText } from './kinds.ts';
import { leaks } from './search.ts';

/*
 * Secrets that operators have to do with: those in a vault, and those that the security audit finds fault with. Neither log nor
 * words of commands, answers, metrics and spans may show one, whole or in part.
 */

const stack = new AsyncDisposableStack();
let telemetry: TelemetryEndpoint;

beforeAll(async () => {
  telemetry = stack.use(await startTelemetryEndpoint());
});
afterAll(() => stack.disposeAsync());

const talkative = { LOG_LEVEL: 'debug', AZURE_LOG_LEVEL: 'verbose', DEBUG: '*' };
const secret = (kind: string, text: string): Planted => ({ kind, text, core: text });
const passwordOf = (url: string) => decodeURIComponent(new URL(url).password);

/** The address of the shared database, with a password that is refused. */
function databaseWith(password: string): string {
  const url = new URL(inject('appDatabaseUrl'));
  url.password = password;
  return url.href;
}

const textOf = async (response: Response | Promise<Response>) => {
  const answer = await response;
  const headers = [...answer.headers].map((pair) => pair.join(': ')).join('\n');
  return `${answer.status}\n${headers}\n${await answer.text()}`;
};

describe('secrets in a vault', () => {
  const jwtSecret = randomText(48);
  const previousKey = randomText(48);
  const lost = { password: randomText(32), address: randomText(32), key: randomText(31) };
  const planted = [
    secret('SECRET_KEY', testSecretKey),
    secret('SECRET_KEY before', previousKey),
    secret('JWT_SECRET', jwtSecret),
    secret('password in DATABASE_URL', passwordOf(inject('appDatabaseUrl'))),
    secret('password that is refused', lost.password),
    secret('password in an address that is none', lost.address),
    secret('SECRET_KEY that is too short', lost.key),
  ];
  const words: string[] = [];
  const answers: string[] = [];
  let vault: KeyVaultServer;
  let identity: IdentityEndpoint;
  let settings: Record<string, string>;
  let instance: Instance;

  beforeAll(async () => {
    const certificate = makeSelfSigned();
    const folder = makeTemporaryFolder();
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const certificateFile = join(folder, 'certificate.pem');
    // Both are to be trusted: the vault, and the collector.
    const collectors = await readFile(telemetry.environment['NODE_EXTRA_CA_CERTS'] ?? '');
    await writeFile(certificateFile, `${certificate.certificate}\n${collectors}`);
    identity = stack.use(await startIdentityEndpoint());
    vault = stack.use(await startKeyVaultServer(certificate));
    vault.add('secret-key', previousKey, 120);
    vault.add('secret-key', testSecretKey);
    vault.add('jwt-secret', jwtSecret);
    vault.add('database-url', inject('appDatabaseUrl'));
    vault.add('wrong-password', databaseWith(lost.password));
    vault.add('wrong-address', `mysql://app:${lost.address}@db/crownsafe`);
    vault.add('short-key', lost.key);
    settings = {
      USE_SECRETS_MANAGER: 'true',
      KEY_VAULT_URL: vault.url,
      ...identity.environment,
      ...telemetry.environment,
      ...talkative,
      NODE_EXTRA_CA_CERTS: certificateFile,
    };
    instance = stack.use(await startInstance(settings));
    planted.push(secret('IDENTITY_HEADER', identity.environment['IDENTITY_HEADER'] ?? ''));
  });

  /** The tokens by which the app has read the vault are secrets as well. */
  function everySecret(): Planted[] {
    const tokens = vault.requests.flatMap(({ headers }) => headers['authorization'] ?? []);
    return [
      ...planted,
      ...[...new Set(tokens)].map((token) => secret('token', token.replace('Bearer ', ''))),
    ];
  }

  const everything = async () => ({
    log: instance.logLines.join('\n'),
    answers: answers.join('\n'),
    metrics: await (await apiWith(adminApi().key, instance.url)('/metrics')).text(),
    telemetry: telemetry.everything,
    words: words.join('\n'),
  });

  const command = (env: Readonly<Record<string, string>>, ...args: string[]) =>
    crownsafe(
      { ENVIRONMENT: 'test', AzureWebJobsStorage: inject('storageConnectionString'), ...env },
      ...args,
    );

  it('show nowhere while all is well', async () => {
    const api = apiWith(adminApi().key, instance.url);
    const token = sharedToken(claimsOf('anna', { roles: ['admin'] }), jwtSecret);
    for (const path of [
      '/api/v1/files',
      '/api/v1/health/ready',
      '/api/v1/monitoring/security-audit',
      '/metrics',
    ]) {
      answers.push(await textOf(api(path)));
      answers.push(await textOf(apiWithToken({ token }, instance.url)(path)));
    }
    for (const args of [['doctor'], ['audit', 'verify'], ['keys', 'list']])
      words.push(await command(settings, ...args));

    const said = await everything();
    expect(leaks(everySecret(), said)).toEqual([]);
    expect(answers.filter((answer) => !answer.startsWith('200'))).toEqual([]);
    expect(words).toEqual([
      expect.stringMatching(/^0 of \d+ checks failed/m),
      expect.stringMatching(/^\d+ rows under \d+ seals/),
      expect.stringContaining('admin'),
    ]);
    expect(everySecret().length).toBeGreaterThan(planted.length);
    expect(said.log).toMatch(/read secret|key-vault/);
  });

  it.each([
    [
      'the vault is away',
      () => vault.behave((request) => request.socket.destroy()),
      {},
      /could not be read from the vault/,
    ],
    ['the vault refuses the app', () => vault.behave(refuseCaller), {}, /refuses the app/],
    [
      'the vault answers what is no answer',
      () => vault.behave((_, response) => response.end('<html>')),
      {},
      /could not be read from the vault/,
    ],
    [
      'there is no token',
      () => identity.behave(refuseToken(400, 'no such identity')),
      {},
      /could not be read from the vault/,
    ],
    [
      'the password is refused',
      () => {},
      { DATABASE_URL_NAME: 'wrong-password' },
      /password authentication failed|28P01/,
    ],
    ['the address is none', () => {}, { DATABASE_URL_NAME: 'wrong-address' }, /wrong-address in the vault/],
    ['the key is too short', () => {}, { SECRET_KEY_NAME: 'short-key' }, /short-key in the vault/],
    [
      'the secret for tokens is too short',
      () => {},
      { JWT_SECRET_NAME: 'short-key' },
      /short-key in the vault/,
    ],
  ])('show nowhere when %s', async (_, breakIt, changes, reason) => {
    const before = instance.logLines.length;
    breakIt();
    const env = { ...settings, ...changes };
    await instance.restart(env);
    const answer = await textOf(apiWith(adminApi().key, instance.url)('/api/v1/files'));
    answers.push(answer, await textOf(fetch(`${instance.url}/api/v1/health/ready`)));
    const said = await command(env, 'doctor');
    words.push(said);
    vault.behave();
    identity.behave(giveToken());

    expect(leaks(everySecret(), await everything())).toEqual([]);
    expect(answer).toMatch(/^50[03]\n/);
    expect(instance.logLines.slice(before).join('\n')).toMatch(reason);
    expect(said).not.toMatch(/^0 of/m);
  });
});

describe('secrets that the security audit finds fault with', () => {
  const weak = (word: string) => `${word}-${randomText(40)}`;
  const careless = {
    SECRET_KEY: weak('change-me'),
    SECRET_KEY_PREVIOUS: weak('example'),
    JWT_SECRET: weak('password'),
    JWT_SECRET_PREVIOUS: weak('default'),
    METRICS_TOKEN: weak('letmein'),
    PAGERDUTY_SERVICE_KEY: randomText(32),
    SLACK_WEBHOOK_URL: `https://hooks.slack.com/services/T0001/B0002/${randomText(24)}`,
    OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${weak('sample')}`,
  };
  const password = weak('postgres');
  // One more that serves two settings.
  const reused = { ...careless, METRICS_TOKEN: careless.JWT_SECRET };
  const base = () => ({
    ENVIRONMENT: 'test',
    AzureWebJobsStorage: inject('storageConnectionString'),
    ...telemetry.environment,
    ...talkative,
  });
  const planted = [
    ...Object.entries(careless).map(([name, text]): Planted => ({ kind: name, text, core: text.slice(-20) })),
    secret('password', password),
  ];
  const findings = [
    'weak_secret_key',
    'weak_jwt_secret',
    'weak_metrics_token',
    'secret_reused',
    'previous_secret',
  ];

  it('show in no word of crownsafe doctor', async () => {
    const said = await crownsafe({ ...base(), ...reused, DATABASE_URL: databaseWith(password) }, 'doctor');

    expect(leaks(planted, { said })).toEqual([]);
    for (const id of [...findings, 'weak_database_password']) expect(said).toContain(`${id}: `);
    expect(said).toMatch(/^failed +database: .*password authentication failed/m);
  });

  it('show in neither answer nor log nor metric of an app that runs with them', async () => {
    const key = newApiKey(createKeyring(careless.SECRET_KEY));
    await inDatabase((db) =>
      db.query(`insert into api_keys (id, name, hash, scopes) values ($1, 'test', $2, '{admin}')`, [
        key.id,
        key.hash,
      ]),
    );
    await using instance = await startInstance({
      ...base(),
      ...reused,
      DATABASE_URL: inject('appDatabaseUrl'),
    });
    const api = apiWith(key.text, instance.url);
    const report = await bodyOf<{ findings: { id: string }[] }>(api('/api/v1/monitoring/security-audit'));
    const metrics = await (await api('/metrics')).text();

    // What goes to the collector in its header is for the collector.
    const spans = telemetry.everything.split('\n').filter((line) => !/^\/\S* \{.*\}$/.test(line));
    const log = instance.logLines.join('\n');
    expect(leaks(planted, { report: JSON.stringify(report), metrics, log, spans: spans.join('\n') })).toEqual(
      [],
    );
    expect(report.findings.map(({ id }) => id)).toEqual(expect.arrayContaining(findings));
    expect(metrics).toMatch(/^security_audit_failures_total\{.*\} [1-9]/m);
  });

  it('show in neither error nor log of one that is refused to start with them', async () => {
    const failure = await startInstance({
      ...base(),
      ...reused,
      ENVIRONMENT: 'production',
      DATABASE_URL: databaseWith(password),
    }).then(
      (instance) => instance[Symbol.asyncDispose]().then(() => 'it has started'),
      (error: Error) => String(error.stack),
    );

    expect(leaks(planted, { failure })).toEqual([]);
    expect(failure).toContain('weak_secret_key');
  });
});
