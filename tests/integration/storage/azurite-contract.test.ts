import { randomUUID } from 'node:crypto';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, inject, vi } from 'vitest';
import { createAzureIdentity } from '../../../src/lib/security/index.ts';
import type { Storage } from '../../../src/lib/storage/index.ts';
import { describeBlobStore } from '../../support/contract/blob-store.ts';
import { describeLeaseLock } from '../../support/contract/lease-lock.ts';
import { describeQueue } from '../../support/contract/queue.ts';
import { describeTableStore } from '../../support/contract/table-store.ts';
import { startIdentityEndpoint } from '../../support/identity-endpoint.ts';
import { emulatorAccount, startSecureAzurite } from '../../support/secure-azurite.ts';
import { openStorage } from './open-storage.ts';

// The contract suites open their stores before a test or a hook has run.
const services = new AsyncDisposableStack();
afterAll(() => services.disposeAsync());
const { azurite, endpointsOf } = services.use(await startSecureAzurite());
const { environment } = services.use(await startIdentityEndpoint());
for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);

const account = endpointsOf(emulatorAccount.name);
const identity = createAzureIdentity('44444444-4444-4444-4444-444444444444');

describeAccount('by connection string', openStorage().storage, inject('storageConnectionString'));
describeAccount(
  'by key',
  openStorage({ connection: { kind: 'account-key', account, accountKey: emulatorAccount.key } }).storage,
  azurite.connectionString,
);
describeAccount(
  'by identity',
  openStorage({ connection: { kind: 'identity', account }, identity }).storage,
  azurite.connectionString,
);

function describeAccount(way: string, storage: Storage, connectionString: string): void {
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
