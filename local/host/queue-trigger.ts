import { type DequeuedMessageItem, QueueServiceClient } from '@azure/storage-queue';
import { sleep } from '../../src/lib/core/index.ts';
import { LocalError } from '../local-error.ts';
import { mergeJson } from './binding-data.ts';
import type { TriggerMetadata } from './protocol.ts';
import { resolveSettings } from './settings.ts';
import type { Trigger, TriggerContext } from './trigger.ts';

/** The retries of the client are short: the trigger polls anyway, and should see an outage. */
const retryOptions = { maxTries: 2, retryDelayInMs: 100, tryTimeoutInMs: 5000 };

/**
 * The trigger of a queue function; the queue is made when it is missing, and waited for when it is gone.
 *
 * @param holdSeconds - how long a message stays hidden when its host dies; renewed at half time while it runs
 */
export function createQueueTrigger(context: TriggerContext, holdSeconds = 30): Trigger {
  const { name, binding, env, settings, clock, log } = context;
  const connection = String(binding['connection'] || 'AzureWebJobsStorage');
  const connectionString = env[`AzureWebJobs${connection}`] ?? env[connection];
  if (!connectionString) throw new LocalError(`The function "${name}" needs the setting ${connection}.`);
  const service = QueueServiceClient.fromConnectionString(connectionString, { retryOptions });
  const queue = service.getQueueClient(resolveSettings(binding['queueName'], env));
  const poison = service.getQueueClient(`${queue.name}-poison`);
  let reachable: boolean | undefined;

  async function receive(abortSignal: AbortSignal): Promise<DequeuedMessageItem[]> {
    try {
      if (!reachable) await queue.createIfNotExists({ abortSignal });
      const batch = { numberOfMessages: settings.batchSize, visibilityTimeout: holdSeconds };
      const { receivedMessageItems } = await queue.receiveMessages({ ...batch, abortSignal });
      if (reachable === false) log('information', `The queue "${queue.name}" is back.`);
      reachable = true;
      return receivedMessageItems;
    } catch (error) {
      if (reachable !== false && !abortSignal.aborted)
        log('warning', `No access to "${queue.name}": ${error}`);
      reachable = false;
      return [];
    }
  }

  /** Runs one message, which stays hidden as long as that takes, and then deletes it, releases it or puts it aside. */
  async function process(message: DequeuedMessageItem): Promise<void> {
    const { messageId, messageText, dequeueCount } = message;
    let { popReceipt } = message;
    const hide = async (hiddenSeconds: number) => {
      const answer = await queue.updateMessage(messageId, popReceipt, undefined, hiddenSeconds);
      popReceipt = answer.popReceipt ?? popReceipt;
    };
    const warn = (error: unknown) => log('warning', `Message ${messageId} of "${queue.name}": ${error}`);
    const ended = new AbortController();
    const hold = async () => {
      for (;;) {
        await sleep(clock, holdSeconds * 500, ended.signal);
        await hide(holdSeconds).catch(warn);
      }
    };
    const holding = hold().catch(() => undefined);
    const text = decode(messageText, settings.messageEncoding);
    // A count beyond the limit: whoever ran it last died before the message could be put aside.
    const isPoison = text === undefined || dequeueCount > settings.maxDequeueCount;
    const run = async () => context.run({ string: text ?? '' }, metadataOf(message, text ?? ''));
    const succeeded =
      !isPoison &&
      (await run().then(
        () => true,
        () => false,
      ));
    ended.abort();
    await holding;
    try {
      if (!succeeded && !isPoison && dequeueCount < settings.maxDequeueCount)
        return await hide(settings.retryAfterSeconds);
      if (!succeeded) {
        await poison.createIfNotExists();
        await poison.sendMessage(messageText);
        log('error', `Message ${messageId} of "${queue.name}" was moved to "${poison.name}".`);
      }
      await queue.deleteMessage(messageId, popReceipt);
    } catch (error) {
      warn(error);
    }
  }

  return {
    runNow: (input) =>
      context.run({ string: input }, { QueueTrigger: { string: input }, DequeueCount: { json: '0' } }),
    async start(signal) {
      const running = new Set<Promise<void>>();
      for (let pauseMs = 100; !signal.aborted; ) {
        const messages = await receive(signal);
        for (const message of messages) {
          const run = process(message).finally(() => running.delete(run));
          running.add(run);
        }
        pauseMs = messages.length > 0 ? 100 : Math.min(pauseMs * 2, 2000);
        if (messages.length === 0) await sleep(clock, pauseMs, signal).catch(() => undefined);
        while (running.size > settings.newBatchThreshold) await Promise.race(running);
      }
      await Promise.all(running);
    },
  };
}

/** `undefined` for what is not base64 though host.json says that it is. */
function decode(text: string, encoding: 'none' | 'base64'): string | undefined {
  if (encoding === 'none') return text;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes.toString() : undefined;
}

/** As the host tells it; the top-level values of a JSON message replace what has the same name. */
function metadataOf(message: DequeuedMessageItem, text: string): TriggerMetadata {
  const json = (value: unknown) => ({ json: JSON.stringify(value) });
  const data: TriggerMetadata = {
    QueueTrigger: { string: text },
    Id: { string: message.messageId },
    PopReceipt: { string: message.popReceipt },
    DequeueCount: json(message.dequeueCount),
    ExpirationTime: json(message.expiresOn),
    InsertionTime: json(message.insertedOn),
    NextVisibleTime: json(message.nextVisibleOn),
  };
  mergeJson(data, text, true);
  return data;
}
