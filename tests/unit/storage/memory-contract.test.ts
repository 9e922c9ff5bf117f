import { systemClock } from '../../../src/lib/core/index.ts';
import { createLeaseLock } from '../../../src/lib/storage/lease-lock.ts';
import { describeBlobStore } from '../../support/contract/blob-store.ts';
import { describeLeaseLock } from '../../support/contract/lease-lock.ts';
import { describeLeases } from '../../support/contract/leases.ts';
import { describeQueue } from '../../support/contract/queue.ts';
import { describeTableStore } from '../../support/contract/table-store.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';
import { memoryLeases } from '../../support/memory/memory-leases.ts';
import { memoryQueue } from '../../support/memory/memory-queue.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';

describeBlobStore('in memory', memoryBlobStore);
describeTableStore('in memory', memoryTableStore());
describeLeases('in memory', memoryLeases(systemClock), 60_000);
describeLeaseLock('in memory', createLeaseLock({ leases: memoryLeases(systemClock), clock: systemClock }));
describeQueue('in memory', () => {
  const queue = memoryQueue();
  return { queue, texts: async () => queue.visible() };
});
