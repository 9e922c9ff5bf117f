import { setTimeout as sleep } from 'node:timers/promises';
import { type DequeuedMessageItem, type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createQueueTrigger } from '../../../local/host/queue-trigger.ts';
import { systemClock } from '../../../src/lib/core/index.ts';
import { type AzuriteProcess, startAzurite } from './azurite-process.ts';
import { type FixtureApp, startFixtureApp } from './fixture-app.ts';

let azurite: AzuriteProcess;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

let queues = 0;
/** A queue of its own, and a host with a function `job` for it. */
async function startQueueApp(
  handler: string,
  settings: object = {},
): Promise<[FixtureApp, QueueClient, QueueClient]> {
  const name = `jobs-${queues++}`;
  const hostJson = {
    extensions: {
      http: { routePrefix: '' },
      queues: {
        messageEncoding: 'none',
        batchSize: 1,
        newBatchThreshold: 0,
        maxDequeueCount: 2,
        ...settings,
      },
    },
  };
  const code = `app.storageQueue('job', { queueName: '%QUEUE%', connection: 'Store', handler: ${handler} });`;
  const env = { QUEUE: name, Store: azurite.connectionString };
  const app = await startFixtureApp(code, { hostJson, env });
  const service = QueueServiceClient.fromConnectionString(azurite.connectionString);
  const queue = service.getQueueClient(name);
  await queue.createIfNotExists();
  return [app, queue, service.getQueueClient(`${name}-poison`)];
}

/** A trigger without a host: a queue of the given name, and a function that does the given work. */
async function makeContext(queueName: string, work: () => Promise<unknown>) {
  const runs: unknown[] = [];
  const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient(queueName);
  await queue.createIfNotExists();
  const queues = { batchSize: 2, newBatchThreshold: 1, maxDequeueCount: 2, messageEncoding: 'none' } as const;
  const binding = { type: 'queueTrigger', queueName, connection: 'Store' };
  const fn = { name: 'job', trigger: 'queue', binding };
  const context = {
    env: { Store: azurite.connectionString },
    settings: { ...queues, retryAfterSeconds: 0, routePrefix: '' },
    stateFolder: '',
    clock: systemClock,
    log: () => undefined,
    appFolder: '',
    port: 0,
    functions: [fn],
    worker: {
      httpPort: 0,
      invoke: (_: object, input: object) => {
        runs.push(Object.values(input)[0]);
        return work();
      },
    },
  };
  return { queue, fn, context, runs };
}

const reportMessage = `(message, context) => context.log('got ' + JSON.stringify([message, context.triggerMetadata]))`;
const countOf = async (queue: QueueClient) => (await queue.getProperties()).approximateMessagesCount;

async function received(app: FixtureApp) {
  const { message } = await app.line('got ');
  return JSON.parse(message.slice(4)) as [unknown, Record<string, unknown>];
}

/** Waits, for a while at most, until something that is polled for is so. Not by `expect.poll`, which loses its test among concurrent ones. */
const until = (isSo: () => Promise<boolean>) => vi.waitUntil(isSo, { timeout: 15_000, interval: 20 });

/** Takes a message out, as soon as one is to be seen. */
async function firstOf(queue: QueueClient): Promise<DequeuedMessageItem> {
  const found: DequeuedMessageItem[] = [];
  await until(async () => found.push(...(await queue.receiveMessages()).receivedMessageItems) > 0);
  const [message] = found;
  if (!message) throw new Error('There is no message');
  return message;
}

describe.concurrent('the queue trigger', () => {
  it('runs a message with its metadata and deletes it', async () => {
    const [app, queue] = await startQueueApp(reportMessage);

    const { messageId } = await queue.sendMessage('{"kind":"report","n":1}');
    const [message, metadata] = await received(app);
    await until(async () => (await countOf(queue)) === 0);
    await app.stop();

    expect(message).toEqual({ kind: 'report', n: 1 });
    expect(metadata).toMatchObject({
      id: messageId,
      dequeueCount: 1,
      popReceipt: expect.any(String),
      insertionTime: expect.stringMatching(/^20.*Z$/),
      expirationTime: expect.stringMatching(/^20.*Z$/),
      nextVisibleTime: expect.stringMatching(/^20.*Z$/),
      kind: 'report',
    });
  });

  it('lets the top-level values of a message replace metadata of that name', async () => {
    const [app, queue] = await startQueueApp(reportMessage);

    await queue.sendMessage('{"id":"mine"}');
    const [, metadata] = await received(app);
    await app.stop();

    expect(metadata['id']).toBe('mine');
  });

  it('makes the queue when it is missing', async () => {
    const [app, queue] = await startQueueApp(reportMessage);
    await queue.delete();
    await app.line('No access to');

    await app.line('is back');

    expect(await queue.exists()).toBe(true);
    await app.stop();
  });

  it('tries a message that failed again and then moves it to the poison queue', async () => {
    const [app, queue, poison] = await startQueueApp(`(message, context) => {
      context.log('try ' + context.triggerMetadata.dequeueCount); throw new Error('bad message');
    }`);

    await queue.sendMessage('poisonous');
    await app.line('was moved to');
    const { receivedMessageItems } = await poison.receiveMessages();
    await app.stop();

    expect(
      app.lines.filter(({ message }) => message.startsWith('try ')).map(({ message }) => message),
    ).toEqual(['try 1', 'try 2']);
    expect(receivedMessageItems[0]?.messageText).toBe('poisonous');
    expect(await countOf(queue)).toBe(0);
  });

  it('waits for the visibility timeout before it tries again', async () => {
    const [app, queue] = await startQueueApp(`() => { throw new Error('bad message'); }`, {
      visibilityTimeout: '00:00:30',
    });

    await queue.sendMessage('later');
    await app.line('Failed');
    await sleep(300);
    const hidden = await queue.receiveMessages();
    await app.stop();

    expect(hidden.receivedMessageItems).toEqual([]);
    expect(app.lines.filter(({ message }) => message.includes('Executing'))).toHaveLength(1);
  });

  it('is refused when host.json does not say that messages are plain text', async () => {
    await expect(startQueueApp(reportMessage, { messageEncoding: undefined })).rejects.toThrow(
      'messageEncoding',
    );
  });

  it('runs as many at once as batch size and threshold allow', async () => {
    const [app, queue] = await startQueueApp(
      `async (message, context) => { context.log('begin'); await new Promise((resolve) => setTimeout(resolve, 100)); context.log('end'); }`,
      { batchSize: 2, newBatchThreshold: 0 },
    );

    await Promise.all(['a', 'b', 'c', 'd'].map((text) => queue.sendMessage(text)));
    await until(async () => app.lines.filter(({ message }) => message === 'end').length === 4);
    await app.stop();

    let running = 0;
    const most = app.lines.reduce((max, { message }) => {
      running += message === 'begin' ? 1 : message === 'end' ? -1 : 0;
      return Math.max(max, running);
    }, 0);
    expect(most).toBe(2);
  });

  it('runs by hand over the admin API', async () => {
    const [app] = await startQueueApp(reportMessage);
    const headers = { 'content-type': 'application/json' };

    const response = await fetch(`${app.url}/admin/functions/job`, {
      method: 'POST',
      headers,
      body: '{"input":"by hand"}',
    });
    const [message] = await received(app);
    await app.stop();

    expect([response.status, message]).toEqual([202, 'by hand']);
  });

  it('gives a message back that was running when the worker died, and takes no other', async () => {
    const [app, queue, poison] = await startQueueApp(`() => process.exit(7)`);

    await queue.sendMessage('survivor');
    await app.workerExited;
    await app.stop();
    const { receivedMessageItems } = await queue.receiveMessages();

    expect(receivedMessageItems).toMatchObject([{ messageText: 'survivor', dequeueCount: 2 }]);
    expect(await poison.exists()).toBe(false);
    expect((await app.line('has exited (7)')).level).toBe('error');
  });

  it('hides a message for as long as it runs', async () => {
    const { queue, fn, context, runs } = await makeContext('long-runs', () => sleep(2500));
    await queue.sendMessage('long');
    const stopping = new AbortController();

    const ended = createQueueTrigger(fn, context, 1)(stopping.signal);
    await until(async () => (await countOf(queue)) === 0);
    stopping.abort();
    await ended;

    expect(runs).toEqual(['long']);
  });

  it('puts a message aside without a run when its last host was killed in the middle', async () => {
    const { queue, fn, context, runs } = await makeContext('killed-runs', () => sleep(0));
    await queue.sendMessage('deadly');
    for (let i = 0; i < 2; i++) {
      const message = await firstOf(queue);
      await queue.updateMessage(message.messageId, message.popReceipt, undefined, 0);
    }
    const stopping = new AbortController();

    const ended = createQueueTrigger(fn, context)(stopping.signal);
    await until(async () => (await countOf(queue)) === 0);
    stopping.abort();
    await ended;

    expect(runs).toEqual([]);
  });
});

// After the others, for it takes the service away from all of them.
describe('a queue service that goes away', () => {
  it('is waited for', async () => {
    const code = `app.storageQueue('job', { queueName: 'jobs', connection: 'Store', handler: ${reportMessage} });`;
    const hostJson = { extensions: { queues: { messageEncoding: 'none' } } };
    const app = await startFixtureApp(code, { hostJson, env: { Store: azurite.connectionString } });
    const clientOf = ({ connectionString }: AzuriteProcess) =>
      QueueServiceClient.fromConnectionString(connectionString).getQueueClient('jobs');
    await until(() => clientOf(azurite).exists());

    await azurite.stop();
    const { level } = await app.line('No access to "jobs"');
    azurite = await startAzurite(azurite.port);
    await app.line('The queue "jobs" is back');
    await clientOf(azurite).sendMessage('after the outage');
    const [message] = await received(app);
    await app.stop();

    expect([level, message]).toEqual(['warning', 'after the outage']);
    expect(app.lines.filter(({ message: text }) => text.includes('No access'))).toHaveLength(1);
  });
});
