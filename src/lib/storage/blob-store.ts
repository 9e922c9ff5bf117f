import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { type Clock, lazy } from '../core/index.ts';
import type { Resilience } from '../resilience/index.ts';
import type { BlobAccess } from './account.ts';
import { copyBlob } from './blob-copy.ts';
import { downloadBlob } from './blob-download.ts';
import { toProperties } from './blob-properties.ts';
import { uploadBlob } from './blob-upload.ts';
import { createCalls } from './calls.ts';
import { outcomeOfRefusal, statusOf } from './errors.ts';
import type { BlobProperties, BlobStore, CallOptions } from './ports.ts';
import { createSigner, maxLinkMs } from './sas.ts';

interface BlobStoreOptions {
  readonly access: () => Promise<BlobAccess>;
  /** The service's address, without a trailing slash. */
  readonly endpoint: string;
  readonly container: string;
  readonly dependency: 'blob' | 'backup-blob';
  readonly resilience: Resilience;
  readonly clock: Clock;
}

/** One container of Azure Blob Storage. */
export function createBlobStore({
  access,
  endpoint,
  container,
  dependency,
  resilience,
  clock,
}: BlobStoreOptions): BlobStore {
  const containerClient = async (): Promise<ContainerClient> =>
    (await access()).service.getContainerClient(container);
  const blobClient = async (name: string): Promise<BlockBlobClient> =>
    (await containerClient()).getBlockBlobClient(name);
  const call = createCalls({
    clock,
    resilience,
    dependency,
    name: container,
    create: async (abortSignal) => (await containerClient()).createIfNotExists({ abortSignal }),
  });
  const signer = lazy(async () => createSigner(await access(), { call, clock }));
  const url = (name: string) =>
    `${endpoint}/${container}/${name.split('/').map(encodeURIComponent).join('/')}`;

  const head = async (name: string, { signal }: CallOptions): Promise<BlobProperties | undefined> => {
    const blob = await blobClient(name);
    const found = await call(
      'head blob',
      (abortSignal) => blob.getProperties({ abortSignal }).catch(absent),
      { signal },
    );
    return found && toProperties(name, found, found.metadata);
  };

  return {
    head,
    url,
    exists: async (name, options) => (await head(name, options)) !== undefined,
    upload: async (name, source, options) => uploadBlob(call, await blobClient(name), source, options),
    download: async (name, options) => downloadBlob(call, await blobClient(name), options),
    copyFrom: async (source, name, { signal }) =>
      copyBlob(call, await blobClient(name), source, name, { clock, signal }),
    async delete(name, { signal, ifMatch }) {
      const blob = await blobClient(name);
      const conditions = ifMatch === undefined ? {} : { ifMatch };
      let tries = 0;
      const remove = (abortSignal: AbortSignal) => {
        tries++;
        return blob.delete({ conditions, abortSignal }).then(() => 'done' as const, outcomeOfRefusal);
      };
      const outcome = await call('delete blob', remove, { signal });
      // A repeated deletion that finds nothing has met its own work.
      return outcome === 'done' || (outcome === 'absent' && tries > 1);
    },
    async *list(prefix, { signal }) {
      const client = await containerClient();
      let from: string | undefined;
      do {
        const read = (abortSignal: AbortSignal) => readPage(client, prefix, from, abortSignal);
        const page = await call('list blobs', read, { signal });
        yield* page.blobs;
        from = page.next;
      } while (from);
    },
    async sasUrl(name, options) {
      options.signal.throwIfAborted();
      if (options.expiresAt - clock.now() > maxLinkMs)
        throw new RangeError(`A link cannot live longer than ${maxLinkMs} ms`);
      const sign = await signer();
      return `${url(name)}?${await sign(container, name, options)}`;
    },
  };
}

/** One round trip of a list. */
async function readPage(
  client: ContainerClient,
  prefix: string,
  continuationToken: string | undefined,
  abortSignal: AbortSignal,
): Promise<{ readonly blobs: BlobProperties[]; readonly next: string | undefined }> {
  const pages = client.listBlobsFlat({ prefix, includeMetadata: true, abortSignal });
  const page = await pages.byPage({ ...(continuationToken && { continuationToken }) }).next();
  if (page.done) return { blobs: [], next: undefined };
  const blobs = page.value.segment.blobItems.map(({ name, properties, metadata }) =>
    toProperties(name, properties, metadata),
  );
  return { blobs, next: page.value.continuationToken };
}

function absent(error: unknown): undefined {
  if (statusOf(error) !== 404) throw error;
}
