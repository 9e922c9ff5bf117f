import { setTimeout as sleep } from 'node:timers/promises';
import { type DequeuedMessageItem, QueueServiceClient } from '@azure/storage-queue';
import { LocalError } from '../local-error.ts';
import { mergeJson } from './binding-data.ts';
import { resolveSettings } from './settings.ts';
import type { FunctionInfo, Host } from './worker-process.ts';

/** The retries of the client are short: the trigger polls anyway, and should see an outage. */
const retryOptions = { maxTries: 2, retryDelayInMs: 100, tryTimeoutInMs: 5000 };

/**
 * The trigger of a queue function; the queue is made when it is missing, and waited for when it is gone.
 *
 * @param holdSeconds - how long a message stays hidden when its host dies; renewed at half time while it runs
 */
export function createQueueTrigger(fn: FunctionInfo, host: Host, holdSeconds = 30) {
  const { env, settings, log } = host;
  const setting = String(fn.binding['connection'] || 'AzureWebJobsStorage');
  const connectionString = env[`AzureWebJobs${setting}`] ?? env[setting];
  if (!connectionString) throw new LocalError(`The function "${fn.name}" needs the setting ${setting}.`);
  if (settings.messageEncoding !== 'none')
    throw new LocalError('The local host reads queues only with "messageEncoding": "none" in host.json.');
  const service = QueueServiceClient.fromConnectionString(connectionString, { retryOptions });
  const queue = service.getQueueClient(resolveSettings(fn.binding['queueName'], env));
  const poison = service.getQueueClient(`${queue.name}-poison`);
  let reachable: boolean | undefined;

  async function receive(abortSignal: AbortSignal): Promise<DequeuedMessageItem[]> {
    const batch = { numberOfMessages: settings.batchSize, visibilityTimeout: holdSeconds, abortSignal };
    try {
      if (!reachable) await queue.createIfNotExists({ abortSignal });
      const { receivedMessageItems } = await queue.receiveMessages(batch);
      if (reachable === false) log('information', `The queue "${queue.name}" is back.`);
      reachable = true;
      return receivedMessageItems;
    } catch (error) {
      const isNews = reachable !== false && !abortSignal.aborted;
      if (isNews) log('warning', `No access to "${queue.name}": ${error}`);
      reachable = false;
      return [];
    }
  }
  /** Keeps a message hidden until the signal aborts; resolves with the receipt that is valid then. */
  async function hold({ messageId, popReceipt }: DequeuedMessageItem, signal: AbortSignal): Promise<string> {
    let receipt = popReceipt;
    while (await sleep(holdSeconds * 500, true, { signal }).catch(() => false)) {
      const renewing = queue.updateMessage(messageId, receipt, undefined, holdSeconds);
      const warn = (error: Error) => log('warning', `Message ${messageId} may run twice: ${error}`);
      receipt = (await renewing.catch(warn))?.popReceipt ?? receipt;
    }
    return receipt;
  }
  /** Runs one message, and then deletes it, releases it or puts it aside. */
  async function handle(message: DequeuedMessageItem): Promise<void> {
    const { messageId, messageText, dequeueCount } = message;
    const over = new AbortController();
    const holding = hold(message, over.signal);
    // A count beyond the limit: whoever ran it last died before the message could be put aside.
    const isRunnable = dequeueCount <= settings.maxDequeueCount;
    const run = () => host.worker.invoke(fn, { string: messageText }, metadataOf(message));
    const running = isRunnable ? run() : Promise.reject();
    const succeeded = await running.then(() => true).catch(() => false);
    over.abort();
    const receipt = await holding;
    if (!succeeded && dequeueCount < settings.maxDequeueCount)
      return void (await queue.updateMessage(messageId, receipt, undefined, settings.retryAfterSeconds));
    if (!succeeded) {
      await poison.createIfNotExists();
      await poison.sendMessage(messageText);
      log('error', `Message ${messageId} of "${queue.name}" was moved to "${poison.name}".`);
    }
    await queue.deleteMessage(messageId, receipt);
  }
  /** Asks for messages while there is room for them, every 100 ms at first and every 2 s when there are none. */
  return async (signal: AbortSignal): Promise<void> => {
    const running = new Set<Promise<void>>();
    for (let pauseMs = 100; !signal.aborted; ) {
      const messages = await receive(signal);
      for (const message of messages) {
        const warn = (error: Error) => log('warning', `Message ${message.messageId} comes again: ${error}`);
        const handled = handle(message).catch(warn);
        const handling = handled.finally(() => running.delete(handling));
        running.add(handling);
      }
      pauseMs = messages.length > 0 ? 100 : Math.min(pauseMs * 2, 2000);
      if (messages.length === 0) await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      while (running.size > settings.newBatchThreshold) await Promise.race(running);
    }
    await Promise.all(running);
  };
}

/** As the host tells it; the top-level values of a JSON message replace what has the same name. */
function metadataOf({ messageText, messageId: Id, popReceipt: PopReceipt, ...message }: DequeuedMessageItem) {
  const { dequeueCount, expiresOn, insertedOn, nextVisibleOn } = message;
  const times = { ExpirationTime: expiresOn, InsertionTime: insertedOn, NextVisibleTime: nextVisibleOn };
  const values = { QueueTrigger: messageText, Id, PopReceipt, DequeueCount: dequeueCount, ...times };
  const entries = Object.entries(values).map(([key, value]) => [key, { json: JSON.stringify(value) }]);
  const data: Record<string, object> = Object.fromEntries(entries);
  mergeJson(data, messageText);
  return data;
}
