import type { StorageConnection } from '../config/index.ts';
import { type Clock, lazy, rejectOnAbort } from '../core/index.ts';
import { codeOf, type Dependency, type Resilience } from '../resilience/index.ts';
import type { AzureIdentity } from '../security/index.ts';
import { createAccountClients } from './account.ts';
import { createBlobLeases } from './blob-leases.ts';
import { createBlobStore } from './blob-store.ts';
import { resolveAccount } from './connection.ts';
import { translate } from './errors.ts';
import { createLeaseLock } from './lease-lock.ts';
import type { BlobStore, ContainerReview, LeaseLock, Queue, Storage, TableStore } from './ports.ts';
import { createQueue } from './queue.ts';
import { createTableStore } from './table-store.ts';
import { traced } from './traced.ts';

/** The part of an answer about a container that matters here. */
interface ContainerProperties {
  readonly blobPublicAccess?: string;
  readonly date?: Date;
}

interface StorageOptions {
  readonly connection: StorageConnection;
  /** Who the app is, for a connection by identity. */
  readonly identity: AzureIdentity;
  readonly resilience: Resilience;
  readonly clock: Clock;
  /** Of the work that is going on, for `x-ms-client-request-id` of every request. */
  readonly correlationId: () => string | undefined;
}

/**
 * Opens a storage account. Nothing is loaded or asked before the first use; containers, tables and queues are made
 * when they turn out to be missing.
 *
 * @throws TypeError when the connection string lacks a part, or an identity would send its token in the clear
 */
export function createStorage(options: StorageOptions): Storage {
  const { connection, identity, resilience, clock, correlationId } = options;
  const account = resolveAccount(connection);
  const clients = createAccountClients(account, identity, correlationId);
  const { blob: endpoint, table: tables, queue: queues } = account.endpoints;
  const used = new Set<Dependency>();

  return {
    credentials: account.key === undefined ? 'identity' : 'account-key',
    blobs: remember<BlobStore, [container: string, dependency?: 'blob' | 'backup-blob']>(
      (container, dependency = 'blob') => {
        used.add(dependency);
        return createBlobStore({ access: clients.blob, endpoint, container, dependency, resilience, clock });
      },
    ),
    table: remember<TableStore, [name: string, dependency?: 'table' | 'table-control']>(
      (name, dependency = 'table') => {
        if (tables === undefined) throw new TypeError(blobsOnly);
        used.add(dependency);
        return createTableStore({
          name,
          access: lazy(() => clients.table(tables, name)),
          dependency,
          resilience,
          clock,
        });
      },
    ),
    queue: remember<Queue, [name: string]>((name) => {
      if (queues === undefined) throw new TypeError(blobsOnly);
      used.add('queue');
      return createQueue({ name, access: lazy(() => clients.queue(queues, name)), resilience, clock });
    }),
    locks: remember<LeaseLock, [container: string]>((container) => {
      const leases = createBlobLeases({ access: clients.blob, container, resilience, clock });
      return createLeaseLock({ leases, clock });
    }),
    async ping(container, signal) {
      const { service } = await clients.blob();
      // What an identity with one of the data roles may ask; the information about the account is not among it.
      await askOnce('ping', container, signal, () =>
        service.getContainerClient(container).exists({ abortSignal: signal }),
      );
      for (const dependency of used) resilience.noteRecovery(dependency);
    },
    async inspect(container, signal) {
      const { service } = await clients.blob();
      return askOnce('inspect', container, signal, () =>
        service
          .getContainerClient(container)
          .getProperties({ abortSignal: signal })
          .then(toReview, absentReview),
      );
    },
  };
}

/** One try. An identity that waits for its token does not hear the signal. */
async function askOnce<T>(
  operation: string,
  container: string,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await rejectOnAbort(traced('blob', operation, container, ask), signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : translate(error);
  }
}

function toReview({ blobPublicAccess, date }: ContainerProperties): ContainerReview {
  return { isPublic: blobPublicAccess !== undefined, ...(date && { serverTime: date.getTime() }) };
}

/** @throws every error but that there is no such container, which is made when it is first written to */
function absentReview(error: unknown): ContainerReview {
  if (codeOf(error) === 'ContainerNotFound') return { isPublic: false };
  throw error;
}

const blobsOnly = 'This storage account is used for blobs only: no endpoint for tables or queues is known';

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
