import type { QueueClient } from '@azure/storage-queue';
import type { Clock } from '../core/index.ts';
import { codeOf, type Resilience } from '../resilience/index.ts';
import { createCalls } from './calls.ts';
import type { Queue } from './ports.ts';

interface QueueOptions {
  readonly name: string;
  readonly access: () => Promise<QueueClient>;
  readonly resilience: Resilience;
  readonly clock: Clock;
}

/** One queue of Azure Queue Storage. Texts are sent as they are, as `messageEncoding: none` of host.json expects. */
export function createQueue({ name, access, resilience, clock }: QueueOptions): Queue {
  const call = createCalls({
    clock,
    resilience,
    dependency: 'queue',
    name,
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
    async receive({ signal, count, hideSeconds }) {
      const client = await access();
      const { receivedMessageItems } = await call(
        'receive messages',
        (abortSignal) =>
          client.receiveMessages({ numberOfMessages: count, visibilityTimeout: hideSeconds, abortSignal }),
        { signal },
      );
      return receivedMessageItems.map(({ messageId, messageText, popReceipt }) => ({
        id: messageId,
        text: messageText,
        receipt: popReceipt,
      }));
    },
    async delete({ id, receipt }, { signal }) {
      const client = await access();
      let tries = 0;
      const remove = async (abortSignal: AbortSignal) => {
        tries++;
        return client.deleteMessage(id, receipt, { abortSignal }).then(() => 'done' as const, missed);
      };
      const outcome = await call('delete message', remove, { signal });
      // A repeated deletion that finds nothing has met its own work.
      return outcome === 'done' || (outcome === 'absent' && tries > 1);
    },
  };
}

/**
 * What a deletion has met: no such message, or one that another reader has taken.
 *
 * @throws every other error
 */
function missed(error: unknown): 'absent' | 'taken' {
  const code = codeOf(error);
  if (code === 'MessageNotFound') return 'absent';
  if (code === 'PopReceiptMismatch') return 'taken';
  throw error;
}
