import { randomUUID } from 'node:crypto';
import { QueueClient } from '@azure/storage-queue';
import { inject } from 'vitest';
import { describeBlobStore } from '../../support/contract/blob-store.ts';
import { describeQueue } from '../../support/contract/queue.ts';
import { describeTableStore } from '../../support/contract/table-store.ts';
import { openStorage } from './open-storage.ts';

const { storage } = openStorage();

describeBlobStore('Azurite', storage.blobs);
describeTableStore('Azurite', storage.table(`t${randomUUID().replaceAll('-', '')}`));
describeQueue('Azurite', () => {
  const name = `q-${randomUUID()}`;
  const client = new QueueClient(inject('storageConnectionString'), name);
  const texts = async () => {
    const { peekedMessageItems } = await client.peekMessages({ numberOfMessages: 32 });
    return peekedMessageItems.map((message) => message.messageText);
  };
  return { queue: storage.queue(name), texts };
});
