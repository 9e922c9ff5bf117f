import { isIP } from 'node:net';
import type { StorageConnection, StorageEndpoints } from '../config/index.ts';

/** An account as the clients need it. */
export interface StorageAccount {
  readonly name: string;
  readonly endpoints: StorageEndpoints;
  /** Left out: the app's identity proves that we may. */
  readonly key?: string;
}

/** The account of every emulator where it listens by default. Its key is published (README of Azurite), not a secret. */
export const emulator = {
  name: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
  endpoints: {
    blob: 'http://127.0.0.1:10000/devstoreaccount1',
    queue: 'http://127.0.0.1:10001/devstoreaccount1',
    table: 'http://127.0.0.1:10002/devstoreaccount1',
  },
} as const satisfies StorageAccount;

/**
 * @throws TypeError when a connection string lacks a part, or an identity would send its token in the clear; names
 * the part, never a value
 */
export function resolveAccount(connection: StorageConnection): StorageAccount {
  if (connection.kind === 'connection-string') return parseConnectionString(connection.value);
  const { account } = connection;
  const place =
    typeof account === 'string'
      ? { name: account, endpoints: endpointsOf(account, 'https', 'core.windows.net') }
      : { name: accountNameIn(account.blob), endpoints: account };
  if (connection.kind === 'account-key') return { ...place, key: connection.accountKey };
  if (Object.values(place.endpoints).some((endpoint) => !endpoint.startsWith('https:')))
    throw new TypeError('Storage by identity needs https endpoints: a token is never sent in the clear');
  return place;
}

/** The emulator has the account's name in the path, the service in front of its domain. */
function accountNameIn(endpoint: string): string {
  const { hostname, pathname } = new URL(endpoint);
  const [name = ''] = isIP(hostname) ? pathname.split('/').slice(1) : hostname.split('.');
  return name;
}

function parseConnectionString(text: string): StorageAccount {
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0) parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  if (parts.get('usedevelopmentstorage') === 'true') return emulator;
  const name = required(parts, 'AccountName');
  const key = required(parts, 'AccountKey');
  const protocol = parts.get('defaultendpointsprotocol') ?? 'https';
  const derived = endpointsOf(name, protocol, parts.get('endpointsuffix') ?? 'core.windows.net');
  const endpoint = (service: keyof StorageEndpoints) =>
    parts.get(`${service}endpoint`)?.replace(/\/+$/, '') ?? derived[service];
  return {
    name,
    key,
    endpoints: { blob: endpoint('blob'), queue: endpoint('queue'), table: endpoint('table') },
  };
}

function required(parts: ReadonlyMap<string, string>, name: string): string {
  const value = parts.get(name.toLowerCase());
  if (!value) throw new TypeError(`The storage connection string has no ${name}`);
  return value;
}

function endpointsOf(name: string, protocol: string, suffix: string): Required<StorageEndpoints> {
  const endpoint = (service: string) => `${protocol}://${name}.${service}.${suffix}`;
  return { blob: endpoint('blob'), queue: endpoint('queue'), table: endpoint('table') };
}
