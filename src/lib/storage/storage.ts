import { type Clock, lazy } from '../core/index.ts';
import type { Resilience } from '../resilience/index.ts';
import { createAccountClients } from './account.ts';
import { createBlobStore } from './blob-store.ts';
import { resolveAccount, type StorageConnection } from './connection.ts';
import { translate } from './errors.ts';
import type { BlobStore, Queue, Storage, TableStore } from './ports.ts';
import { createQueue } from './queue.ts';
import { createTableStore } from './table-store.ts';

interface StorageOptions {
  readonly connection: StorageConnection;
  readonly resilience: Resilience;
  readonly clock: Clock;
  /** Of the work that is going on, for `x-ms-client-request-id` of every request. */
  readonly correlationId: () => string | undefined;
}

/**
 * Opens a storage account. Nothing is loaded or asked before the first use; containers, tables and queues are made
 * when they turn out to be missing.
 *
 * @throws TypeError when the connection string lacks a part
 */
export function createStorage({ connection, resilience, clock, correlationId }: StorageOptions): Storage {
  const account = resolveAccount(connection);
  const clients = createAccountClients(account, correlationId);
  const endpoint = account.endpoints.blob;

  return {
    credentials: 'account-key',
    blobs: remember<BlobStore, [container: string, dependency?: 'blob' | 'backup-blob']>(
      (container, dependency = 'blob') =>
        createBlobStore({ access: clients.blob, endpoint, container, dependency, resilience, clock }),
    ),
    table: remember<TableStore, [name: string]>((name) =>
      createTableStore({ access: lazy(() => clients.table(name)), resilience, clock }),
    ),
    queue: remember<Queue, [name: string]>((name) =>
      createQueue({ access: lazy(() => clients.queue(name)), resilience, clock }),
    ),
    async ping(signal) {
      const { service } = await clients.blob();
      try {
        await service.getAccountInfo({ abortSignal: signal });
      } catch (error) {
        throw signal.aborted ? signal.reason : translate(error);
      }
      for (const dependency of ['blob', 'backup-blob', 'table', 'queue'] as const) {
        resilience.noteRecovery(dependency);
      }
    },
  };
}

/** Makes one store for each name, so that all who use it share what it knows. */
function remember<Store, Args extends readonly (string | undefined)[]>(
  make: (...args: Args) => Store,
): (...args: Args) => Store {
  const stores = new Map<string, Store>();
  return (...args) => {
    const key = args.join(' ');
    const store = stores.get(key) ?? make(...args);
    stores.set(key, store);
    return store;
  };
}
