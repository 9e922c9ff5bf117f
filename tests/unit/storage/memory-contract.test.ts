import { describeBlobStore } from '../../support/contract/blob-store.ts';
import { describeQueue } from '../../support/contract/queue.ts';
import { describeTableStore } from '../../support/contract/table-store.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';
import { memoryQueue } from '../../support/memory/memory-queue.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';

describeBlobStore('in memory', memoryBlobStore);
describeTableStore('in memory', memoryTableStore());
describeQueue('in memory', () => {
  const queue = memoryQueue();
  const visible = () => queue.sent.filter((message) => message.visibilityDelaySeconds === 0);
  return { queue, texts: async () => visible().map((message) => message.text) };
});
