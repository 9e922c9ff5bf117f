import type { QueueClient } from '@azure/storage-queue';
import type { Clock } from '../core/index.ts';
import type { Resilience } from '../resilience/index.ts';
import { createCalls } from './calls.ts';
import type { Queue } from './ports.ts';

interface QueueOptions {
  readonly access: () => Promise<QueueClient>;
  readonly resilience: Resilience;
  readonly clock: Clock;
}

/** One queue of Azure Queue Storage. Texts are sent as they are, as `messageEncoding: none` of host.json expects. */
export function createQueue({ access, resilience, clock }: QueueOptions): Queue {
  const call = createCalls({
    clock,
    resilience,
    dependency: 'queue',
    create: async (abortSignal) => (await access()).createIfNotExists({ abortSignal }),
  });
  return {
    async send(text, { signal, visibilityDelaySeconds }) {
      const client = await access();
      const delay = visibilityDelaySeconds === undefined ? {} : { visibilityTimeout: visibilityDelaySeconds };
      await call('send message', (abortSignal) => client.sendMessage(text, { ...delay, abortSignal }), {
        signal,
      });
    },
    async approximateLength({ signal }) {
      const client = await access();
      const properties = await call(
        'count messages',
        (abortSignal) => client.getProperties({ abortSignal }),
        { signal },
      );
      return properties.approximateMessagesCount ?? 0;
    },
  };
}
