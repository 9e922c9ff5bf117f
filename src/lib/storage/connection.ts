/** Where an account's services are, without a trailing slash. */
export interface StorageEndpoints {
  readonly blob: string;
  readonly queue: string;
  readonly table: string;
}

/** How to reach an account and what proves that we may; told apart by `kind`. */
export type StorageConnection =
  | { readonly kind: 'connection-string'; readonly value: string }
  | {
      readonly kind: 'account-key';
      readonly accountName: string;
      readonly accountKey: string;
      /** Left out: the public Azure cloud's. */
      readonly endpoints?: StorageEndpoints;
    };

/** An account as the clients need it. */
export interface StorageAccount {
  readonly accountName: string;
  readonly accountKey: string;
  readonly endpoints: StorageEndpoints;
}

/** The emulator's account; its key is published with the emulator. */
const emulator = {
  accountName: 'devstoreaccount1',
  accountKey: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
  endpoints: {
    blob: 'http://127.0.0.1:10000/devstoreaccount1',
    queue: 'http://127.0.0.1:10001/devstoreaccount1',
    table: 'http://127.0.0.1:10002/devstoreaccount1',
  },
} as const satisfies StorageAccount;

/** @throws TypeError when a connection string lacks a part; names the part, never a value */
export function resolveAccount(connection: StorageConnection): StorageAccount {
  if (connection.kind === 'connection-string') return parseConnectionString(connection.value);
  const { accountName, accountKey, endpoints } = connection;
  return {
    accountName,
    accountKey,
    endpoints: endpoints ?? endpointsOf(accountName, 'https', 'core.windows.net'),
  };
}

function parseConnectionString(text: string): StorageAccount {
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0) parts.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  if (parts.get('usedevelopmentstorage') === 'true') return emulator;
  const accountName = required(parts, 'AccountName');
  const accountKey = required(parts, 'AccountKey');
  const protocol = parts.get('defaultendpointsprotocol') ?? 'https';
  const derived = endpointsOf(accountName, protocol, parts.get('endpointsuffix') ?? 'core.windows.net');
  const endpoint = (service: keyof StorageEndpoints) =>
    parts.get(`${service}endpoint`)?.replace(/\/+$/, '') ?? derived[service];
  return {
    accountName,
    accountKey,
    endpoints: { blob: endpoint('blob'), queue: endpoint('queue'), table: endpoint('table') },
  };
}

function required(parts: ReadonlyMap<string, string>, name: string): string {
  const value = parts.get(name.toLowerCase());
  if (!value) throw new TypeError(`The storage connection string has no ${name}`);
  return value;
}

function endpointsOf(accountName: string, protocol: string, suffix: string): StorageEndpoints {
  const endpoint = (service: string) => `${protocol}://${accountName}.${service}.${suffix}`;
  return { blob: endpoint('blob'), queue: endpoint('queue'), table: endpoint('table') };
}
