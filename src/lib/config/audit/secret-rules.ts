import type { Config } from '../load.ts';
import { describeSettings } from '../settings.ts';
import { isGuessable } from './critical-rules.ts';
import type { Rule } from './finding.ts';
import { drawn, isWeak, namesOf } from './weak-secret.ts';

/** A token or password is guessed at the service only, which is slow. */
const passwordBits = 40;

/** What is wrong with secrets by themselves. */
export const secretRules: readonly Rule[] = [
  {
    // Not critical: without it, what the weak one has made could not be encrypted and hashed anew.
    id: 'weak_previous_secret_key',
    level: 'high',
    title: 'SECRET_KEY_PREVIOUS can be guessed: what it signs is accepted, what it has encrypted can be read',
    fix: 'Run crownsafe keys rotate, and remove SECRET_KEY_PREVIOUS, or disable the version before in the vault',
    found: ({ config }) => isGuessable(config.SECRET_KEY_PREVIOUS),
  },
  {
    id: 'weak_metrics_token',
    level: 'high',
    title: 'METRICS_TOKEN can be guessed',
    fix: `Set METRICS_TOKEN to what \`${drawn}\` prints, here and at the scraper`,
    found: ({ config }) => isWeak(config.METRICS_TOKEN, passwordBits),
  },
  {
    id: 'weak_database_password',
    level: 'high',
    title: 'A database password can be guessed',
    fix: "Leave the password out and log in as the app's identity (crownsafe roles apply --login <its name> --entra-object-id <its object id>), or draw one: openssl rand -hex 24",
    found: ({ config }) =>
      namesOf(databaseSettings, (name) => isWeak(passwordOf(config[name]), passwordBits)),
  },
  {
    id: 'secret_reused',
    level: 'high',
    title: 'One secret serves several settings, so whoever learns it in one place has the others',
    fix: `Draw one for each: ${drawn}`,
    found: ({ config }) => reusedSecrets(config),
  },
  {
    id: 'password_in_settings',
    level: 'medium',
    title:
      'The app logs in to the database with a password, which whoever may read its settings, or its vault, can take along',
    fix: "Leave the password out of the URL, so that the app's identity logs in: crownsafe roles apply --login <its name> --entra-object-id <its object id>",
    found: ({ config }) =>
      config.isInAzure && namesOf(databaseSettings, (name) => passwordOf(config[name]) !== undefined),
  },
  {
    id: 'previous_secret',
    level: 'low',
    title: 'A replaced secret is still accepted',
    fix: 'When nothing needs it any more (crownsafe keys rotate tells for SECRET_KEY), remove the setting, or disable the version before in the vault',
    found: ({ config }) =>
      namesOf(['SECRET_KEY_PREVIOUS', 'JWT_SECRET_PREVIOUS'], (name) => config[name] !== undefined),
  },
  {
    id: 'storage_key',
    level: 'high',
    title: 'Storage is reached by its key, which may do everything, where the app has an identity',
    fix: 'Name the account only (AZURE_STORAGE_ACCOUNT_NAME, BACKUP_STORAGE_BLOB_URI, AzureWebJobsStorage__blobServiceUri and the like), give the identity its roles, and switch keys off: az storage account update --name <account> --allow-shared-key-access false',
    found: ({ config }) =>
      config.isInAzure &&
      [config.storage, config.queueStorage, config.backupStorage].some(({ kind }) => kind !== 'identity'),
  },
];

const databaseSettings = ['DATABASE_URL', 'DATABASE_DIRECT_URL'] as const;

function passwordOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : decodeURIComponent(new URL(url).password) || undefined;
}

/** The same account or login may be named twice; its secret is one all the same. */
const families: Readonly<Record<string, string>> = {
  DATABASE_DIRECT_URL: 'DATABASE_URL',
  AZURE_STORAGE_CONNECTION_STRING: 'AzureWebJobsStorage',
  AZURE_STORAGE_ACCOUNT_KEY: 'AzureWebJobsStorage',
  BACKUP_STORAGE_CONNECTION_STRING: 'AzureWebJobsStorage',
};

function reusedSecrets(config: Config): string | false {
  const settings = describeSettings().filter(({ secret }) => secret);
  const owners = new Map<string, Set<string>>();
  for (const { name } of settings) {
    for (const text of secretTexts(config[name as keyof Config])) {
      owners.set(text, (owners.get(text) ?? new Set()).add(families[name] ?? name));
    }
  }
  const shared = [...owners.values()].filter(({ size }) => size > 1).flatMap((names) => [...names]);
  return namesOf([...new Set(shared)], () => true);
}

/** The secret parts of a setting: the password of a URL, the key of a connection string, else the whole. */
function secretTexts(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).map(String);
  if (typeof value !== 'string') return [];
  const accountKey = /(?:^|;)AccountKey=([^;]+)/i.exec(value)?.[1];
  if (accountKey !== undefined) return [accountKey];
  if (!/^postgres(?:ql)?:/.test(value)) return [value];
  const password = passwordOf(value);
  return password === undefined ? [] : [password];
}
