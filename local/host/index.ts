import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { sleep, systemClock } from '../../src/lib/core/index.ts';
import { createAdmin } from './admin.ts';
import { createFront, type FunctionKeys } from './front.ts';
import { type Env, type HostSettings, type Log, readHostSettings } from './settings.ts';
import { createTriggers } from './triggers.ts';
import { startWorkers, type Workers } from './worker-process.ts';

export interface LocalHostOptions {
  /** Holds package.json, whose `main` is the built app, and host.json. */
  readonly appFolder: string;
  /** 0 for any free port. */
  readonly port: number;
  /** The whole environment of the worker; also the source of `%SETTING%` and `AzureWebJobs.<name>.Disabled`. */
  readonly env: Env;
  /** Where timers remember when they are due. */
  readonly stateFolder: string;
  /** Receives the lines of the host and of the worker. */
  readonly log: Log;
  /** Lets a request whose function failed hang, as in Azure, instead of answering 500. */
  readonly strict?: boolean;
  /** When given, function keys are enforced, as with `func start --enable-auth`. */
  readonly keys?: FunctionKeys;
  /** Default 104 857 600, as in the host; the setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT wins. */
  readonly bodyLimitBytes?: number;
}

/** A running host. `workerPid` and `workerExited` are those of the present worker: one that dies is replaced. */
export interface LocalHost {
  readonly url: string;
  readonly workerPid: number;
  readonly functionNames: readonly string[];
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
  const { appFolder, env, log } = options;
  const settings = await readHostSettings(appFolder);
  const workers = await startWorkers({ ...settings, appFolder, env, log });
  try {
    return await serve(options, settings, workers);
  } catch (error) {
    await workers.stop();
    throw error;
  }
}

async function serve(
  options: LocalHostOptions,
  settings: HostSettings,
  workers: Workers,
): Promise<LocalHost> {
  const { env, log } = options;
  const { functions } = workers.current;
  const isDisabled = (name: string) => /^(?:1|true)$/i.test(env[`AzureWebJobs.${name}.Disabled`] ?? '');
  const triggers = createTriggers(functions, { ...options, settings, worker: workers.ready });
  const { server, settled } = createFront({
    functions: functions.filter(({ name }) => !isDisabled(name)),
    routePrefix: settings.routePrefix,
    keys: options.keys,
    bodyLimitBytes: Number(env['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? options.bodyLimitBytes ?? 104_857_600),
    strict: options.strict ?? false,
    log,
    worker: workers.ready,
    admin: createAdmin(functions, triggers, isDisabled),
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');

  const stopping = new AbortController();
  const loops = [...triggers]
    .filter(([name]) => !isDisabled(name))
    .map(async ([name, trigger]) => {
      await trigger.start(stopping.signal).catch((error: Error) => {
        if (!stopping.signal.aborted) log('error', `The trigger of "${name}" has stopped: ${error.message}`);
      });
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    functionNames: functions.map(({ name }) => name),
    get workerPid() {
      return workers.current.pid;
    },
    get workerExited() {
      return workers.current.exited;
    },
    async stop() {
      stopping.abort();
      server.close();
      const patience = new AbortController();
      const impatience = sleep(systemClock, 5000, patience.signal).catch(() => undefined);
      await Promise.race([Promise.all([settled(), ...loops]), impatience]);
      patience.abort();
      // Not only the idle ones: clients also open connections and send nothing.
      server.closeAllConnections();
      await workers.stop();
      await Promise.all(loops);
    },
  };
}
