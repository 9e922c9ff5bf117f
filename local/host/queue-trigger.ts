import { setTimeout as sleep } from 'node:timers/promises';
import { type DequeuedMessageItem, type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { LocalError } from '../local-error.ts';
import { mergeJson } from './binding-data.ts';
import type { Trigger, TriggerContext, TriggerMetadata } from './contract.ts';
import { resolveSettings } from './settings.ts';

/** The retries of the client are short: the trigger polls anyway, and should see an outage. */
const retryOptions = { maxTries: 2, retryDelayInMs: 100, tryTimeoutInMs: 5000 };

interface Lane extends TriggerContext {
  readonly queue: QueueClient;
  readonly poison: QueueClient;
  readonly holdSeconds: number;
}

/**
 * The trigger of a queue function; the queue is made when it is missing, and waited for when it is gone.
 *
 * @param holdSeconds - how long a message stays hidden when its host dies; renewed at half time while it runs
 */
export function createQueueTrigger(context: TriggerContext, holdSeconds = 30): Trigger {
  const { name, binding, env, settings } = context;
  const setting = String(binding['connection'] || 'AzureWebJobsStorage');
  const connectionString = env[`AzureWebJobs${setting}`] ?? env[setting];
  if (!connectionString) throw new LocalError(`The function "${name}" needs the setting ${setting}.`);
  if (settings.messageEncoding !== 'none')
    throw new LocalError('The local host reads queues only with "messageEncoding": "none" in host.json.');
  const service = QueueServiceClient.fromConnectionString(connectionString, { retryOptions });
  const queue = service.getQueueClient(resolveSettings(binding['queueName'], env));
  const poison = service.getQueueClient(`${queue.name}-poison`);
  return (signal) => pollQueue({ ...context, queue, poison, holdSeconds }, signal);
}

/** Asks for messages while there is room for them, every 100 ms at first and every 2 s when there are none. */
async function pollQueue(lane: Lane, signal: AbortSignal): Promise<void> {
  const { queue, settings, log } = lane;
  const batch = { numberOfMessages: settings.batchSize, visibilityTimeout: lane.holdSeconds };
  const running = new Set<Promise<void>>();
  let reachable: boolean | undefined;
  const receive = async () => {
    if (!reachable) await queue.createIfNotExists({ abortSignal: signal });
    const { receivedMessageItems } = await queue.receiveMessages({ ...batch, abortSignal: signal });
    if (reachable === false) log('information', `The queue "${queue.name}" is back.`);
    reachable = true;
    return receivedMessageItems;
  };
  for (let pauseMs = 100; !signal.aborted; ) {
    const messages = await receive().catch((error) => {
      if (reachable !== false && !signal.aborted) log('warning', `No access to "${queue.name}": ${error}`);
      reachable = false;
      return [];
    });
    for (const message of messages) {
      const run = processMessage(lane, message).finally(() => running.delete(run));
      running.add(run);
    }
    pauseMs = messages.length > 0 ? 100 : Math.min(pauseMs * 2, 2000);
    if (messages.length === 0) await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    while (running.size > settings.newBatchThreshold) await Promise.race(running);
  }
  await Promise.all(running);
}

/** Runs one message, and then deletes it, releases it or puts it aside. */
async function processMessage(lane: Lane, message: DequeuedMessageItem): Promise<void> {
  const { queue, poison, settings, log } = lane;
  const { messageId, messageText, dequeueCount } = message;
  const over = new AbortController();
  const hold = keepHidden(lane, message, over.signal);
  // A count beyond the limit: whoever ran it last died before the message could be put aside.
  const isPoison = dequeueCount > settings.maxDequeueCount;
  const run = isPoison ? Promise.reject() : lane.run({ string: messageText }, metadataOf(message));
  const succeeded = await run.then(() => true).catch(() => false);
  over.abort();
  const popReceipt = await hold;
  try {
    if (!succeeded && dequeueCount < settings.maxDequeueCount) {
      await queue.updateMessage(messageId, popReceipt, undefined, settings.retryAfterSeconds);
      return;
    }
    if (!succeeded) {
      await poison.createIfNotExists();
      await poison.sendMessage(messageText);
      log('error', `Message ${messageId} of "${queue.name}" was moved to "${poison.name}".`);
    }
    await queue.deleteMessage(messageId, popReceipt);
  } catch (error) {
    log('warning', `Message ${messageId} of "${queue.name}" will come again: ${error}`);
  }
}

/** Keeps a message hidden until the signal aborts; resolves with the receipt that is valid then. */
async function keepHidden(lane: Lane, message: DequeuedMessageItem, signal: AbortSignal): Promise<string> {
  const { queue, holdSeconds, log } = lane;
  let { popReceipt } = message;
  while (await sleep(holdSeconds * 500, true, { signal }).catch(() => false)) {
    try {
      const renewed = await queue.updateMessage(message.messageId, popReceipt, undefined, holdSeconds);
      popReceipt = renewed.popReceipt ?? popReceipt;
    } catch (error) {
      log('warning', `Message ${message.messageId} of "${queue.name}" could not be kept hidden: ${error}`);
    }
  }
  return popReceipt;
}

/** As the host tells it; the top-level values of a JSON message replace what has the same name. */
function metadataOf(message: DequeuedMessageItem): TriggerMetadata {
  const json = (value: unknown) => ({ json: JSON.stringify(value) });
  const data: TriggerMetadata = {
    QueueTrigger: { string: message.messageText },
    Id: { string: message.messageId },
    PopReceipt: { string: message.popReceipt },
    DequeueCount: json(message.dequeueCount),
    ExpirationTime: json(message.expiresOn),
    InsertionTime: json(message.insertedOn),
    NextVisibleTime: json(message.nextVisibleOn),
  };
  mergeJson(data, message.messageText);
  return data;
}
