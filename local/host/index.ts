import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/lib/core/index.ts';
import { LocalError } from '../local-error.ts';
import { createFront } from './front.ts';
import { createQueueTrigger } from './queue-trigger.ts';
import { type LocalHostOptions, readHostSettings, type TriggerHost } from './settings.ts';
import { createTimer } from './timers.ts';
import { startWorker } from './worker-process.ts';

export type { LocalHostOptions };

/** A running host. Once its worker has ended, it answers 500 and triggers nothing more. */
export interface LocalHost {
  readonly url: string;
  readonly functionNames: readonly string[];
  readonly workerPid: number;
  /** Resolves with the exit code of the worker, or the name of the signal that ended it. */
  readonly workerExited: Promise<number | string>;
  /** Lets what runs end for five seconds, then the appTerminate hooks for five more. */
  stop(): Promise<void>;
}

/**
 * Runs a built function app without Azure's host, and as unkindly as that one where it matters.
 *
 * @throws {@link LocalError} when the app cannot be loaded or needs what is not emulated here
 */
export async function startLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const { env, log } = options;
  const settings = readHostSettings(options.appFolder);
  const worker = await startWorker(options);
  await using onFailure = new AsyncDisposableStack();
  onFailure.defer(() => worker.terminate());
  const isDisabled = (name: string) => /^(?:1|true)$/i.test(env[`AzureWebJobs.${name}.Disabled`] ?? '');
  const functions = worker.functions.filter(({ name }) => !isDisabled(name));
  const triggers = functions.flatMap((fn) => {
    const { type } = fn.binding;
    const run: TriggerHost['run'] = (data, metadata) => worker.invoke(fn, data, metadata);
    const host = { ...options, settings, clock: systemClock, run };
    if (type === 'timerTrigger') return createTimer(fn, host);
    if (type === 'queueTrigger') return createQueueTrigger(fn, host);
    if (type === 'httpTrigger') return [];
    throw new LocalError(`The local host does not know the trigger of "${fn.name}".`);
  });
  const { server, settled } = createFront({ ...options, ...settings, functions, worker });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  onFailure.move();

  const stopping = new AbortController();
  const running = triggers.map(async (runUntil) => {
    await runUntil(stopping.signal).catch((error) => stopping.signal.aborted || log('error', `${error}`));
  });
  void worker.exited.then((exit) => {
    if (!stopping.signal.aborted) log('error', `The worker has exited (${exit}).`);
    stopping.abort();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    functionNames: worker.functions.map(({ name }) => name),
    workerPid: worker.pid,
    workerExited: worker.exited,
    async stop() {
      stopping.abort();
      server.close();
      await Promise.race([Promise.all([settled(), ...running]), sleep(5000, undefined, { ref: false })]);
      // Not only the idle ones: clients also open connections and send nothing.
      server.closeAllConnections();
      await worker.terminate();
      await Promise.all(running);
    },
  };
}
