import { randomUUID } from 'node:crypto';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, expect, inject, it, vi } from 'vitest';
import { createAzureIdentity } from '../../../src/lib/security/index.ts';
import { emulator, type Storage } from '../../../src/lib/storage/index.ts';
import { describeBlobStore } from '../../support/contract/blob-store.ts';
import { describeLeaseLock } from '../../support/contract/lease-lock.ts';
import { describeQueue } from '../../support/contract/queue.ts';
import { describeTableStore } from '../../support/contract/table-store.ts';
import { startIdentityEndpoint } from '../../support/identity-endpoint.ts';
import { startSecureAzurite } from '../../support/secure-azurite.ts';
import { openStorage } from './open-storage.ts';

// The contract suites open their stores before a test or a hook has run.
const services = new AsyncDisposableStack();
afterAll(() => services.disposeAsync());
const { azurite, endpointsOf } = services.use(await startSecureAzurite());
const { environment } = services.use(await startIdentityEndpoint());
for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);

const account = endpointsOf(emulator.name);
const identity = createAzureIdentity('44444444-4444-4444-4444-444444444444');

describeAccount('by connection string', openStorage().storage, inject('storageConnectionString'));
describeAccount(
  'by key',
  openStorage({ connection: { kind: 'account-key', account, accountKey: emulator.key } }).storage,
  azurite.connectionString,
);
describeAccount(
  'by identity',
  openStorage({ connection: { kind: 'identity', account }, identity }).storage,
  azurite.connectionString,
);

function describeAccount(way: string, storage: Storage, connectionString: string): void {
  it(`gives links that die with the move of their blob, ${way}`, async () => {
    const { signal } = new AbortController();
    const store = storage.blobs(`links-${randomUUID()}`);
    await store.upload('a', Buffer.from('bytes'), { contentType: 'image/png', signal });
    const link = await store.sasUrl('a', { expiresAt: Date.now() + 60_000, signal });
    const before = await fetch(link);

    await storage.blobs(`trash-${randomUUID()}`).copyFrom(store, 'a', { signal });
    await store.delete('a', { signal });

    expect([before.status, (await fetch(link)).status]).toEqual([200, 404]);
  });

  describeBlobStore(`Azurite ${way}`, storage.blobs);
  describeTableStore(`Azurite ${way}`, storage.table(`t${randomUUID().replaceAll('-', '')}`));
  describeLeaseLock(`Azurite ${way}`, storage.locks(`locks-${randomUUID()}`));
  describeQueue(`Azurite ${way}`, () => {
    const name = `q-${randomUUID()}`;
    const client = new QueueClient(connectionString, name);
    const texts = async () => {
      const { peekedMessageItems } = await client.peekMessages({ numberOfMessages: 32 });
      return peekedMessageItems.map((message) => message.messageText);
    };
    return { queue: storage.queue(name), texts };
  });
}
