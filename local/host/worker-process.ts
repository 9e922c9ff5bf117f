import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock } from '../../src/lib/core/index.ts';
import { LocalError } from '../local-error.ts';
import type { LocalHostOptions, readHostSettings } from './settings.ts';

/** A function as the app registered it; `trigger` is the name of its trigger binding. */
export interface FunctionInfo {
  readonly name: string;
  readonly trigger: string;
  readonly binding: { type: string; route?: string; methods?: string[]; [key: string]: unknown };
}

/** What a worker says: a line to log, or the outcome of an invocation or, without id, of loading the app. */
export type WorkerMessage = { level: string; log: string } | { id?: string; value?: unknown; error?: string };
/** What the front and the triggers need; `functions` are those that are not disabled. */
export interface Host extends LocalHostOptions {
  readonly settings: ReturnType<typeof readHostSettings>;
  readonly functions: readonly FunctionInfo[];
  readonly worker: Pick<Awaited<ReturnType<typeof startWorker>>, 'invoke' | 'httpPort'>;
  readonly clock: Clock;
}

/** Starts a worker and waits until it has loaded the app; throws a {@link LocalError} when it cannot. */
export async function startWorker({ appFolder, env, log }: LocalHostOptions) {
  const options = { cwd: appFolder, env: { ...env }, execArgv: [], silent: true };
  const child = fork(join(import.meta.dirname, 'worker.ts'), [appFolder], options);
  const exited = Promise.withResolvers<number | string>();
  const calls = new Map([['', Promise.withResolvers<unknown>()]]);
  child.once('exit', (code, signal) => {
    exited.resolve(code ?? signal ?? 0);
    for (const { reject } of calls.values()) reject(new LocalError('The worker has exited.'));
  });
  child.on('message', (message: WorkerMessage) => {
    if ('log' in message) return log(message.level, message.log);
    const { id = '', value, error } = message;
    if (error) calls.get(id)?.reject(new LocalError(error));
    else calls.get(id)?.resolve(value);
    calls.delete(id);
  });
  if (child.stdout) createInterface(child.stdout).on('line', (line) => log('information', line));
  if (child.stderr) createInterface(child.stderr).on('line', (line) => log('warning', line));
  const loaded = (await calls.get('')?.promise) as { functions: FunctionInfo[]; httpPort: number };
  return {
    ...loaded,
    pid: child.pid ?? 0,
    exited: exited.promise,
    /** True when the handler returned something; rejects when it failed, or when the worker died. */
    invoke({ name, trigger }: FunctionInfo, data: object, triggerMetadata: object, id = randomUUID()) {
      log('information', `Executing 'Functions.${name}' (Id=${id})`);
      const call = Promise.withResolvers<unknown>();
      calls.set(id, call);
      const input = { inputData: [{ name: trigger, data }], triggerMetadata };
      child.send({ invocationId: id, functionId: name, ...input }, (error) => error && call.reject(error));
      const failed = (error: Error) => `Executed 'Functions.${name}' (Failed: ${error.message}, Id=${id})`;
      call.promise.catch((error: Error) => log('error', failed(error)));
      return call.promise;
    },
    /** Gives the appTerminate hooks five seconds, as Azure does. */
    async terminate() {
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      child.send('terminate', () => undefined);
      await exited.promise;
      clearTimeout(timer);
    },
  };
}
