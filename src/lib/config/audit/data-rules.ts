import { databaseTls, isLoopback } from '../database-tls.ts';
import type { Config } from '../load.ts';
import { isDeployed, type Rule } from './finding.ts';

/** What endangers the data: on its way, and in the account it lies in. */
export const dataRules: readonly Rule[] = [
  {
    id: 'database_without_tls',
    level: 'high',
    title: 'The database is spoken to in the clear, passwords and rows alike',
    fix: 'Set sslmode=verify-full in DATABASE_URL and DATABASE_DIRECT_URL',
    found: ({ config }) => remoteDatabases(config).some((url) => databaseTls(url) === 'none'),
  },
  {
    id: 'database_unverified',
    level: 'high',
    title: 'Nothing proves that what answers is the database, so whoever stands between reads along',
    fix: 'Set sslmode=verify-full in DATABASE_URL and DATABASE_DIRECT_URL; NODE_EXTRA_CA_CERTS names the certificate of an authority of your own',
    found: ({ config }) => remoteDatabases(config).some((url) => databaseTls(url) === 'unverified'),
  },
  {
    id: 'storage_without_tls',
    level: 'high',
    title: 'Storage is spoken to in the clear, so files, backups and links can be read on their way',
    fix: 'Write https in the connection strings of storage (DefaultEndpointsProtocol=https, BlobEndpoint=https://…)',
    found: ({ config }) =>
      [config.storage, config.queueStorage, config.backupStorage].some(
        (connection) => connection.kind === 'connection-string' && isPlainRemote(connection.value),
      ),
  },
  {
    id: 'backups_beside_files',
    level: 'high',
    title: 'Backups lie in the account of the files: one credential, or one mistake, takes both',
    fix: 'Name an account of their own: BACKUP_STORAGE_BLOB_URI, by identity',
    found: ({ config }) =>
      isDeployed(config) && blobPlace(config.backupStorage) === blobPlace(config.storage),
  },
  {
    id: 'backups_not_encrypted',
    level: 'medium',
    title: 'Backups are encrypted by the storage account only: whoever may read it has all rows',
    fix: 'Keep the readers of the backup account few: az role assignment list --scope <id of the account>. This version has no key of its own for backups',
    found: ({ config }) => isDeployed(config),
  },
  {
    id: 'backups_off',
    level: 'medium',
    title: 'No backup is taken by itself',
    fix: 'Remove ENABLE_AUTOMATED_BACKUPS, or set it to true',
    found: ({ config }) => isDeployed(config) && !config.ENABLE_AUTOMATED_BACKUPS,
  },
];

/** What leaves this machine. */
function remoteDatabases({ DATABASE_URL, DATABASE_DIRECT_URL }: Config): URL[] {
  return [DATABASE_URL, DATABASE_DIRECT_URL]
    .flatMap((url) => (url === undefined ? [] : [new URL(url)]))
    .filter(({ hostname }) => !isLoopback(hostname));
}

/** Whether a connection string leads to another machine without TLS. Endpoints count for more than the protocol. */
function isPlainRemote(connectionString: string): boolean {
  const endpoints = [...connectionString.matchAll(/(?:^|;)(?:Blob|Queue|Table)Endpoint=([^;]+)/gi)];
  if (endpoints.length === 0) return /(?:^|;)DefaultEndpointsProtocol=http(?:;|$)/i.test(connectionString);
  return endpoints.some(([, endpoint = '']) => {
    const url = URL.parse(endpoint);
    return url?.protocol === 'http:' && !isLoopback(url.hostname);
  });
}

/** Names an account, by whichever way it is reached. */
function blobPlace(connection: Config['storage']): string {
  if (connection.kind === 'connection-string') {
    const part = (name: string) => new RegExp(`(?:^|;)${name}=([^;]+)`, 'i').exec(connection.value)?.[1];
    return part('AccountName') ?? connection.value;
  }
  const { account } = connection;
  if (typeof account === 'string') return account;
  return new URL(account.blob).hostname.split('.')[0] ?? account.blob;
}
