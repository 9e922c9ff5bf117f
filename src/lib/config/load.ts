import type * as z from 'zod';
import { type Settings, settingsSchema } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** How storage is reached. */
export type StorageConnection =
  | { readonly kind: 'connection-string'; readonly value: string }
  | { readonly kind: 'account-key'; readonly accountName: string; readonly accountKey: string };

/** The whole configuration: read once, frozen, passed on by argument. */
export interface Config extends Readonly<Settings> {
  readonly DATABASE_DIRECT_URL: string;
  readonly storage: StorageConnection;
  /** Of the platform, which takes the messages out of our queue. */
  readonly queueStorage: StorageConnection;
  readonly isProduction: boolean;
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
  // An empty value means "not set": that is how the portal and shells clear a setting.
  const given: Environment = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== ''),
  );
  const parsed = settingsSchema.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => describeIssue(issue, given)),
    ...crossChecks(given),
  ];
  const settings = parsed.data;
  const storage = settings && storageConnection(settings);
  if (!storage || problems.length > 0) throw configError(problems);
  return Object.freeze({
    ...settings,
    DATABASE_DIRECT_URL: settings.DATABASE_DIRECT_URL ?? settings.DATABASE_URL,
    storage: Object.freeze(storage),
    queueStorage: Object.freeze(platformStorage(settings) ?? storage),
    isProduction: settings.ENVIRONMENT === 'production',
  });
}

/** Checks across settings look at the texts, so that they are reported together with settings that are malformed. */
function crossChecks(given: Environment): string[] {
  const problems: string[] = [];
  const isProduction = (given['ENVIRONMENT'] ?? 'production') === 'production';
  const origins = (given['CORS_ORIGINS'] ?? '').split(',').map((origin) => origin.trim());
  if (isProduction && origins.includes('*')) {
    problems.push('CORS_ORIGINS: `*` is refused in production, name the origins');
  }
  const hasName = given['AZURE_STORAGE_ACCOUNT_NAME'] !== undefined;
  const hasKey = given['AZURE_STORAGE_ACCOUNT_KEY'] !== undefined;
  if (hasKey && !hasName)
    problems.push('AZURE_STORAGE_ACCOUNT_NAME: is required with AZURE_STORAGE_ACCOUNT_KEY');
  if (hasName && !hasKey)
    problems.push('AZURE_STORAGE_ACCOUNT_KEY: is required with AZURE_STORAGE_ACCOUNT_NAME');
  const hasConnection = given['AZURE_STORAGE_CONNECTION_STRING'] ?? given['AzureWebJobsStorage'];
  if (!hasConnection && !hasName && !hasKey) {
    problems.push(
      'AZURE_STORAGE_CONNECTION_STRING: is required, or account name and key, or AzureWebJobsStorage',
    );
  }
  return problems;
}

function storageConnection(settings: Settings): StorageConnection | undefined {
  const { AZURE_STORAGE_ACCOUNT_NAME: accountName, AZURE_STORAGE_ACCOUNT_KEY: accountKey } = settings;
  const value = settings.AZURE_STORAGE_CONNECTION_STRING;
  if (value) return { kind: 'connection-string', value };
  if (accountName && accountKey) return { kind: 'account-key', accountName, accountKey };
  return platformStorage(settings);
}

function platformStorage({ AzureWebJobsStorage: value }: Settings): StorageConnection | undefined {
  return value === undefined ? undefined : { kind: 'connection-string', value };
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
