import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/lib/core/index.ts';
import { LocalError } from '../local-error.ts';
import { createFront } from './front.ts';
import { createQueueTrigger } from './queue-trigger.ts';
import { type LocalHostOptions, readHostSettings } from './settings.ts';
import { createTimer } from './timers.ts';
import { type FunctionInfo, type Host, startWorker } from './worker-process.ts';

export type { LocalHostOptions };
export type LocalHost = Awaited<ReturnType<typeof startLocalHost>>;

/**
 * Runs a built function app without Azure's host, and as unkindly as that one where it matters. Once its worker has
 * ended, it answers 500 and triggers nothing more.
 *
 * @throws {@link LocalError} when the app cannot be loaded or needs what is not emulated here
 */
export async function startLocalHost(options: LocalHostOptions) {
  const { env, log } = options;
  const settings = readHostSettings(options.appFolder);
  const worker = await startWorker(options);
  await using onFailure = new AsyncDisposableStack();
  onFailure.defer(() => worker.terminate());
  const isDisabled = (name: string) => /^(?:1|true)$/i.test(env[`AzureWebJobs.${name}.Disabled`] ?? '');
  const functions = worker.functions.filter(({ name }) => !isDisabled(name));
  const host = { ...options, settings, worker, functions, clock: systemClock };
  const triggers = functions.flatMap((fn) => createTrigger(fn, host));
  const { server, settled } = createFront(host);
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  onFailure.move();

  const stopping = new AbortController();
  const { signal } = stopping;
  const running = triggers.map((runUntil) =>
    runUntil(signal).catch((error) => signal.aborted || log('error', `A trigger has stopped: ${error}`)),
  );
  void worker.exited.then((exit) => {
    if (!signal.aborted) log('error', `The worker has exited (${exit}).`);
    stopping.abort();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    functionNames: worker.functions.map(({ name }) => name),
    workerPid: worker.pid,
    /** Resolves with the exit code of the worker, or the name of the signal that ended it. */
    workerExited: worker.exited,
    /** Lets what runs end for five seconds, then the appTerminate hooks for five more. */
    async stop(): Promise<void> {
      stopping.abort();
      server.close();
      await Promise.race([Promise.all([settled(), ...running]), sleep(5000, undefined, { ref: false })]);
      await worker.terminate(); // The app answers what it cuts off.
      server.closeAllConnections(); // Not only the idle ones: clients also open connections and send nothing.
      await Promise.all(running);
    },
  };
}

function createTrigger(fn: FunctionInfo, host: Host) {
  const { type } = fn.binding;
  if (type === 'httpTrigger') return [];
  if (type === 'timerTrigger') return createTimer(fn, host);
  if (type === 'queueTrigger') return createQueueTrigger(fn, host);
  throw new LocalError(`The local host does not know the trigger of "${fn.name}".`);
}
