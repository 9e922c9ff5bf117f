import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LocalError } from '../local-error.ts';
import type {
  FunctionInfo,
  LocalHostOptions,
  TriggerMetadata,
  TypedData,
  WorkerMessage,
} from './contract.ts';

export type Worker = Awaited<ReturnType<typeof startWorker>>;

/** Starts a worker and waits until it has loaded the app; throws a {@link LocalError} when it cannot. */
export async function startWorker({ appFolder, env, log }: LocalHostOptions) {
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
  const options = { cwd: appFolder, env: { ...env }, execArgv: [], stdio: [...stdio] };
  const child = fork(join(import.meta.dirname, 'worker', 'main.ts'), [appFolder], options);
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
    /** Resolves with the exit code, or the name of the signal that ended it. */
    exited: exited.promise,
    /** True when the handler returned something; rejects when it failed, or when the worker died. */
    async invoke(
      { name, trigger }: FunctionInfo,
      data: TypedData,
      triggerMetadata: TriggerMetadata,
      id = randomUUID(),
    ) {
      log('information', `Executing 'Functions.${name}' (Id=${id})`);
      const call = Promise.withResolvers<unknown>();
      calls.set(id, call);
      const inputData = [{ name: trigger, data }];
      child.send(
        { invocationId: id, functionId: name, inputData, triggerMetadata },
        (error) => error && call.reject(error),
      );
      call.promise.catch(({ message }: Error) =>
        log('error', `Executed 'Functions.${name}' (Failed: ${message}, Id=${id})`),
      );
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
