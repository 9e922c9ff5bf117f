import { type DequeuedMessageItem, type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { sleep } from '../../src/lib/core/index.ts';
import { LocalError } from '../local-error.ts';
import { mergeJson } from './binding-data.ts';
import type { TriggerMetadata } from './protocol.ts';
import { resolveSettings } from './settings.ts';
import type { Trigger, TriggerContext } from './trigger.ts';

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
  const { name, binding, env } = context;
  const setting = String(binding['connection'] || 'AzureWebJobsStorage');
  const connectionString = env[`AzureWebJobs${setting}`] ?? env[setting];
  if (!connectionString) throw new LocalError(`The function "${name}" needs the setting ${setting}.`);
  const service = QueueServiceClient.fromConnectionString(connectionString, { retryOptions });
  const queue = service.getQueueClient(resolveSettings(binding['queueName'], env));
  const poison = service.getQueueClient(`${queue.name}-poison`);
  return {
    start: (signal) => pollQueue({ ...context, queue, poison, holdSeconds }, signal),
    runNow: (input) => {
      return context.run({ string: input }, { QueueTrigger: { string: input }, DequeueCount: { json: '0' } });
    },
  };
}

/** Asks for messages while there is room for them, every 100 ms at first and every 2 s when there are none. */
async function pollQueue(lane: Lane, signal: AbortSignal): Promise<void> {
  const receive = createReceiver(lane);
  const running = new Set<Promise<void>>();
  for (let pauseMs = 100; !signal.aborted; ) {
    const messages = await receive(signal);
    for (const message of messages) {
      const run = processMessage(lane, message).finally(() => running.delete(run));
      running.add(run);
    }
    pauseMs = messages.length > 0 ? 100 : Math.min(pauseMs * 2, 2000);
    if (messages.length === 0) await sleep(lane.clock, pauseMs, signal).catch(() => undefined);
    while (running.size > lane.settings.newBatchThreshold) await Promise.race(running);
  }
  await Promise.all(running);
}

/** Takes the next batch; none while the queue is out of reach, which is said once. */
function createReceiver({ queue, settings, holdSeconds, log }: Lane) {
  let reachable: boolean | undefined;
  return async (abortSignal: AbortSignal): Promise<DequeuedMessageItem[]> => {
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
  };
}

/** Runs one message, and then deletes it, releases it or puts it aside. */
async function processMessage(lane: Lane, message: DequeuedMessageItem): Promise<void> {
  const { queue, poison, settings, log } = lane;
  const { messageId, messageText, dequeueCount } = message;
  const hold = holdMessage(lane, message);
  const text = decode(messageText, settings.messageEncoding);
  // A count beyond the limit: whoever ran it last died before the message could be put aside.
  const isPoison = text === undefined || dequeueCount > settings.maxDequeueCount;
  const run = isPoison ? Promise.reject() : lane.run({ string: text }, metadataOf(message, text));
  const succeeded = await run.then(() => true).catch(() => false);
  const popReceipt = await hold.end();
  try {
    if (!succeeded && !isPoison && dequeueCount < settings.maxDequeueCount) {
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

/** Keeps a message hidden until `end`, which resolves with the receipt that is valid then. */
function holdMessage({ queue, clock, holdSeconds, log }: Lane, { messageId, ...first }: DequeuedMessageItem) {
  const ended = new AbortController();
  let { popReceipt } = first;
  const renew = async () => {
    for (;;) {
      await sleep(clock, holdSeconds * 500, ended.signal);
      try {
        const answer = await queue.updateMessage(messageId, popReceipt, undefined, holdSeconds);
        popReceipt = answer.popReceipt ?? popReceipt;
      } catch (error) {
        log('warning', `Message ${messageId} of "${queue.name}" could not be kept hidden: ${error}`);
      }
    }
  };
  const renewing = renew().catch(() => undefined);
  return {
    async end(): Promise<string> {
      ended.abort();
      await renewing;
      return popReceipt;
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
