import type { Settings } from './settings.ts';

/** Where an account's services are, without a trailing slash. */
export interface StorageEndpoints {
  readonly blob: string;
  /** Left out of an account that is used for blobs only. */
  readonly queue?: string;
  readonly table?: string;
}

/** How to reach a storage account and what proves that we may; told apart by `kind`. */
export type StorageConnection =
  | { readonly kind: 'connection-string'; readonly value: string }
  | { readonly kind: 'account-key'; readonly account: StorageAccountPlace; readonly accountKey: string }
  | { readonly kind: 'identity'; readonly account: StorageAccountPlace };

/** The name of an account of the public cloud, or where an account is otherwise. */
export type StorageAccountPlace = string | StorageEndpoints;

/** The settings as texts, by name. */
type Given = Readonly<Record<string, string | undefined>>;

const platformUris = [
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
] as const;

/** Of what the app keeps; `undefined` where it lies in the platform's storage. */
export function dataConnection(settings: Settings): StorageConnection | undefined {
  const { AZURE_STORAGE_ACCOUNT_NAME: account, AZURE_STORAGE_ACCOUNT_KEY: accountKey } = settings;
  const value = settings.AZURE_STORAGE_CONNECTION_STRING;
  if (value) return { kind: 'connection-string', value };
  if (account && accountKey) return { kind: 'account-key', account, accountKey };
  return account === undefined ? undefined : { kind: 'identity', account };
}

/** Of the platform. Its own order: a connection string hides all else. */
export function platformConnection(settings: Settings): StorageConnection | undefined {
  if (settings.AzureWebJobsStorage) return { kind: 'connection-string', value: settings.AzureWebJobsStorage };
  const [blob, queue, table] = platformUris.map((name) => settings[name]);
  if (blob && queue && table) return { kind: 'identity', account: Object.freeze({ blob, queue, table }) };
  const account = settings.AzureWebJobsStorage__accountName;
  return account === undefined ? undefined : { kind: 'identity', account };
}

/** Of an account that keeps backups only; `undefined` where they lie beside the files. */
export function backupConnection(settings: Settings): StorageConnection | undefined {
  const { BACKUP_STORAGE_CONNECTION_STRING: value, BACKUP_STORAGE_BLOB_URI: blob } = settings;
  if (value) return { kind: 'connection-string', value };
  return blob === undefined ? undefined : { kind: 'identity', account: Object.freeze({ blob }) };
}

/** What is wrong with the storage settings together, one sentence for each. */
export function storageProblems(given: Given): string[] {
  const has = (name: string) => given[name] !== undefined;
  const problems: string[] = [];
  if (has('AZURE_STORAGE_ACCOUNT_KEY') && !has('AZURE_STORAGE_ACCOUNT_NAME')) {
    problems.push('AZURE_STORAGE_ACCOUNT_NAME: is required with AZURE_STORAGE_ACCOUNT_KEY');
  }
  const missingUris = platformUris.filter((name) => !has(name));
  if (missingUris.length > 0 && missingUris.length < platformUris.length) {
    problems.push(...missingUris.map((name) => `${name}: is required with the other two service URIs`));
  }
  // The host itself prefers now the one, now the other, by the version of each of its extensions.
  if (has('AzureWebJobsStorage__accountName') && platformUris.some(has)) {
    problems.push('AzureWebJobsStorage__accountName: cannot be given together with service URIs');
  }
  if (has('BACKUP_STORAGE_BLOB_URI') && has('BACKUP_STORAGE_CONNECTION_STRING')) {
    problems.push('BACKUP_STORAGE_BLOB_URI: cannot be given together with BACKUP_STORAGE_CONNECTION_STRING');
  }
  const sources = [
    'AZURE_STORAGE_CONNECTION_STRING',
    'AZURE_STORAGE_ACCOUNT_NAME',
    'AZURE_STORAGE_ACCOUNT_KEY',
    'AzureWebJobsStorage',
    'AzureWebJobsStorage__accountName',
    ...platformUris,
  ];
  if (!sources.some(has)) {
    problems.push(
      'AZURE_STORAGE_CONNECTION_STRING: is required, or AZURE_STORAGE_ACCOUNT_NAME, or AzureWebJobsStorage in one of its forms',
    );
  }
  return problems;
}
