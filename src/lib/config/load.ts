import type * as z from 'zod';
import { flag } from './settings/shapes.ts';
import { type Settings, settingsBesideVault, settingsSchema } from './settings.ts';
import {
  backupConnection,
  dataConnection,
  platformConnection,
  type StorageConnection,
  storageProblems,
} from './storage-connections.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The whole configuration: read once, frozen, passed on by argument. */
export interface Config extends Readonly<Settings> {
  /** Of the files, links and reports, and of the catalogue of backups. */
  readonly storage: StorageConnection;
  /** Of the platform, which takes the messages out of our queue; the same object as `storage` where it is the same. */
  readonly queueStorage: StorageConnection;
  /** The same object as `storage` where backups lie beside the files. */
  readonly backupStorage: StorageConnection;
  readonly isProduction: boolean;
  /** The platform says so: it names the app to itself. */
  readonly isInAzure: boolean;
  /** App Service Authentication is on: nobody else can send what it says of a caller. */
  readonly hasPlatformAuth: boolean;
}

/** What a command needs to reach the database, as whoever runs it. */
export interface DatabaseSettings extends Readonly<Pick<Settings, 'AZURE_CLIENT_ID'>> {
  readonly DATABASE_URL: string;
  readonly DATABASE_DIRECT_URL: string;
}

/** The settings are not usable. Its message names every problem by setting, and never shows a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError' as const;
  readonly code = 'invalid_configuration';
}

/**
 * Reads the configuration.
 *
 * @param environment - by default the environment of the process; this is the only place that reads it
 * @throws {@link ConfigError} that lists all problems at once
 */
export function loadConfig(environment: Environment = process.env): Config {
  const given = usesVault(environment)
    ? withoutReferences(withoutEmpty(environment))
    : withoutEmpty(environment);
  // Read once: a parser compiled for it, as Zod makes them, would cost a cold start 2 ms.
  const schema = usesVault(given) ? settingsBesideVault : settingsSchema;
  const parsed = schema.safeParse(given, { jitless: true });
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => describeIssue(issue, given)),
    ...crossChecks(given),
  ];
  const settings: Settings | undefined = parsed.data;
  const platform = settings && platformConnection(settings);
  const storage = settings && (dataConnection(settings) ?? platform);
  if (!storage || problems.length > 0) throw configError(problems);
  return Object.freeze({
    ...settings,
    storage: Object.freeze(storage),
    queueStorage: Object.freeze(platform ?? storage),
    backupStorage: Object.freeze(backupConnection(settings) ?? storage),
    isProduction: settings.ENVIRONMENT === 'production',
    isInAzure: given['WEBSITE_SITE_NAME'] !== undefined,
    // learn.microsoft.com/azure/app-service/reference-app-settings
    hasPlatformAuth: given['WEBSITE_AUTH_ENABLED']?.toLowerCase() === 'true',
  });
}

/**
 * Reads only what it takes to reach the database, for commands that need nothing else of the app.
 *
 * @throws {@link ConfigError} that lists all problems at once
 */
export function loadDatabaseSettings(environment: Environment = process.env): DatabaseSettings {
  const given = withoutEmpty(environment);
  const schema = settingsSchema.pick({
    DATABASE_URL: true,
    DATABASE_DIRECT_URL: true,
    AZURE_CLIENT_ID: true,
  });
  const { data: settings, error } = schema.safeParse(given);
  if (!settings) throw configError(error.issues.map((issue) => describeIssue(issue, given)));
  return Object.freeze({
    ...settings,
    DATABASE_DIRECT_URL: settings.DATABASE_DIRECT_URL ?? settings.DATABASE_URL,
  });
}

/** The settings of which the vault may hold the value. */
const vaultSettings = ['SECRET_KEY', 'JWT_SECRET', 'DATABASE_URL'] as const;
export type VaultSetting = (typeof vaultSettings)[number];

/** What is wrong with the value of a setting, wherever it comes from; `undefined` when nothing is. Never quotes it. */
export function faultOfSetting(name: VaultSetting, value: string): string | undefined {
  return settingsSchema.shape[name].safeParse(value).error?.issues[0]?.message;
}

/** Each makes a library write to stderr by itself: text that is no JSON and that nobody redacts. */
const librarySwitches = ['AZURE_LOG_LEVEL', 'TYPESPEC_RUNTIME_LOG_LEVEL', 'DEBUG'];

/**
 * Takes away the switches by which libraries write logs of their own; our log tells of each call they make. Call it before the
 * first of them is loaded.
 */
export function silenceLibraries(environment: NodeJS.ProcessEnv = process.env): void {
  for (const name of librarySwitches) delete environment[name];
}

/** An empty value means "not set": that is how the portal and shells clear a setting. */
function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}

/** Where the app reads the vault itself, a reference that the platform could not resolve is no reason not to start. */
function withoutReferences(given: Environment): Environment {
  const isNeedless = (name: string) => vaultSettings.some((known) => known === name);
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => !(isNeedless(name) && isReference(value))),
  );
}

function isReference(value: string | undefined): boolean {
  return value?.startsWith('@Microsoft.KeyVault(') ?? false;
}

function usesVault(given: Environment): boolean {
  return flag.safeParse(given['USE_SECRETS_MANAGER']).data === true;
}

/** Of the public cloud and of national ones. */
const vaultName = /^[a-z0-9-]{3,24}\.vault\.[a-z.]+$/;

/** Checks across settings look at the texts, so that they are reported together with settings that are malformed. */
function crossChecks(given: Environment): string[] {
  const problems: string[] = [];
  const isProduction = (given['ENVIRONMENT'] ?? 'production') === 'production';
  const origins = (given['CORS_ORIGINS'] ?? '').split(',').map((origin) => origin.trim());
  if (isProduction && origins.includes('*')) {
    problems.push('CORS_ORIGINS: `*` is refused in production, name the origins');
  }
  if (/^http:/i.test(given['SLACK_WEBHOOK_URL'] ?? '') && given['ENVIRONMENT'] !== 'test') {
    problems.push('SLACK_WEBHOOK_URL: must be an https:// URL');
  }
  if (isProduction && given['CHAOS'] !== undefined) {
    problems.push('CHAOS: is refused in production, where nobody breaks things on purpose');
  }
  if (usesVault(given) && given['KEY_VAULT_URL'] === undefined) {
    problems.push('KEY_VAULT_URL: is required with USE_SECRETS_MANAGER');
  }
  const vaultHost = URL.parse(given['KEY_VAULT_URL'] ?? '')?.hostname;
  if (vaultHost !== undefined && !vaultName.test(vaultHost) && given['ENVIRONMENT'] !== 'test') {
    problems.push('KEY_VAULT_URL: must be the address of a vault, as https://<name>.vault.azure.net');
  }
  for (const name of Object.keys(settingsSchema.shape)) {
    // The platform leaves the reference itself in place of a secret that it cannot read: a text anybody can guess.
    if (isReference(given[name])) {
      problems.push(`${name}: is a Key Vault reference that the platform could not resolve`);
    }
  }
  return [...problems, ...storageProblems(given), ...tokenProblems(given), ...telemetryProblems(given)];
}

const loopback = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/i;

/** Keys for everybody to fetch say only who has signed: not which of the signer's tokens are for us. */
function tokenProblems(given: Environment): string[] {
  const url = given['JWT_JWKS_URL'];
  if (url === undefined) return [];
  const isForTests = given['ENVIRONMENT'] === 'test' && loopback.test(url);
  return [
    ...(/^http:/i.test(url) && !isForTests ? ['JWT_JWKS_URL: must be an https:// URL'] : []),
    ...['JWT_ISSUER', 'JWT_AUDIENCE']
      .filter((name) => given[name] === undefined)
      .map((name) => `${name}: is required with JWT_JWKS_URL`),
  ];
}

/** The headers are mostly what lets us in at the collector. */
function telemetryProblems(given: Environment): string[] {
  const endpoint = given['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  if (given['OTEL_EXPORTER_OTLP_HEADERS'] === undefined || !/^http:/i.test(endpoint)) return [];
  return loopback.test(endpoint) ? [] : ['OTEL_EXPORTER_OTLP_HEADERS: is sent over https:// only'];
}

function describeIssue(issue: z.core.$ZodIssue, given: Environment): string {
  const name = issue.path.join('.');
  // Zod's own words never quote the value for the kinds of schema used here; the test holds that.
  return `${name}: ${given[name] === undefined ? 'is required' : issue.message}`;
}

function configError(problems: readonly string[]): ConfigError {
  return new ConfigError(
    `The settings are not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
}
