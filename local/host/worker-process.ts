import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sleep, systemClock } from '../../src/lib/core/index.ts';
import { LocalError } from '../local-error.ts';
import type { FromWorker, FunctionInfo, Invocation, ToWorker } from './protocol.ts';
import type { Env, Log } from './settings.ts';

interface WorkerOptions {
  readonly appFolder: string;
  readonly env: Env;
  readonly functionTimeoutMs: number | undefined;
  readonly log: Log;
}

export interface WorkerProcess {
  readonly pid: number;
  readonly functions: readonly FunctionInfo[];
  /** The port of the library's stream server. */
  readonly httpPort: number;
  /** Resolves with the exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** True when the handler returned something; rejects when it failed or timed out, or when the worker died. */
  invoke(invocation: Invocation): Promise<boolean>;
  /** Lets the appTerminate hooks run, for at most five seconds as in Azure, and ends the process. */
  terminate(): Promise<void>;
}

type Call = PromiseWithResolvers<boolean>;

/** Starts a worker; rejects with a {@link LocalError} when it cannot load the app. */
async function startWorker({
  appFolder,
  env,
  functionTimeoutMs,
  log,
}: WorkerOptions): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(new URL('./worker/main.ts', import.meta.url)), [appFolder], {
    cwd: appFolder,
    env: { ...env },
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const calls = new Map<string, Call>();
  const exited = Promise.withResolvers<number | string>();
  const { functions, httpUri } = await listenTo(child, calls, exited, log);
  const kill = () => child.kill('SIGKILL');
  const send = (message: ToWorker, onError: (error: Error) => void) =>
    child.send(message, (error) => error && onError(error));
  const onTimeout = (name: string) => {
    log('error', `'Functions.${name}' exceeded functionTimeout; the worker is restarted, as in Azure.`);
    kill();
  };
  return {
    pid: child.pid ?? 0,
    functions,
    httpPort: Number(new URL(httpUri).port),
    exited: exited.promise,
    invoke(invocation) {
      const { invocationId: id, functionId: name } = invocation;
      const call: Call = Promise.withResolvers();
      // A longer wait than setTimeout knows is as good as none.
      const isLimited = functionTimeoutMs !== undefined && functionTimeoutMs < 2 ** 31;
      const timer = isLimited ? setTimeout(onTimeout, functionTimeoutMs, name) : undefined;
      calls.set(id, call);
      send({ kind: 'invoke', invocation }, call.reject);
      return logged(call.promise, name, id, log).finally(() => {
        clearTimeout(timer);
        calls.delete(id);
      });
    },
    async terminate() {
      const timer = setTimeout(kill, 5000);
      send({ kind: 'terminate' }, kill);
      await exited.promise;
      clearTimeout(timer);
    },
  };
}

/** Takes what a worker says until it exits; resolves when it has loaded the app. */
function listenTo(
  child: ChildProcess,
  calls: Map<string, Call>,
  exited: PromiseWithResolvers<number | string>,
  log: Log,
): Promise<Extract<FromWorker, { kind: 'ready' }>> {
  const ready = Promise.withResolvers<Extract<FromWorker, { kind: 'ready' }>>();
  child.once('exit', (code, signal) => {
    const error = new LocalError(`The worker has exited (${code ?? signal}).`);
    for (const waiting of [ready, ...calls.values()]) waiting.reject(error);
    exited.resolve(code ?? signal ?? 0);
  });
  if (child.stdout) createInterface(child.stdout).on('line', (line) => log('information', line));
  if (child.stderr) createInterface(child.stderr).on('line', (line) => log('warning', line));
  child.on('message', (message: FromWorker) => {
    if (message.kind === 'ready') ready.resolve(message);
    else if (message.kind === 'failed')
      ready.reject(new LocalError(`The app cannot be loaded: ${message.message}`));
    else if (message.kind === 'log') log(hostLevel(message.level), message.message);
    else if (message.error) calls.get(message.invocationId)?.reject(new Error(message.error));
    else calls.get(message.invocationId)?.resolve(message.answered);
  });
  return ready.promise;
}

/** Says that a function begins, and how it ended, in the words of the host. */
async function logged<T>(running: Promise<T>, name: string, id: string, log: Log): Promise<T> {
  const startedAt = performance.now();
  log('information', `Executing 'Functions.${name}' (Id=${id})`);
  const outcome = await running.then(
    () => 'Succeeded',
    (error: Error) => `Failed: ${error.message}`,
  );
  const tookMs = Math.round(performance.now() - startedAt);
  const level = outcome === 'Succeeded' ? 'information' : 'error';
  log(level, `Executed 'Functions.${name}' (${outcome}, Id=${id}, Duration=${tookMs}ms)`);
  return running;
}

/** The host knows fewer levels than the worker. */
function hostLevel(level: string): Parameters<Log>[0] {
  if (level === 'critical') return 'error';
  return level === 'information' || level === 'warning' || level === 'error' ? level : 'debug';
}

export interface Workers {
  /** The worker that runs, or the last one that did. */
  readonly current: WorkerProcess;
  /** The worker that runs, or the next one when it has just died; rejects when that cannot start either. */
  ready(): Promise<WorkerProcess>;
  stop(): Promise<void>;
}

/** Keeps a worker running: one that exits is started again, after 100 ms at first and at most 10 s. */
export async function startWorkers(options: WorkerOptions): Promise<Workers> {
  const stopping = new AbortController();
  let current = await startWorker(options);
  let next = Promise.resolve(current);
  let pauseMs = 50;
  const restart = async (reason: string) => {
    if (stopping.signal.aborted) return;
    pauseMs = Math.min(pauseMs * 2, 10_000);
    options.log('error', `${reason} A new worker starts in ${pauseMs} ms.`);
    next = sleep(systemClock, pauseMs, stopping.signal).then(() => startWorker(options));
    await next.then(watch, (error: Error) => restart(error.message));
  };
  const watch = async (worker: WorkerProcess) => {
    current = worker;
    const startedAt = performance.now();
    const exit = await worker.exited;
    // One that has lived for a while did not die of its start.
    if (performance.now() - startedAt > 10_000) pauseMs = 50;
    await restart(`The worker has exited (${exit}).`);
  };
  const watching = watch(current);
  return {
    get current() {
      return current;
    },
    ready: () => next,
    async stop() {
      stopping.abort();
      await next.then((worker) => worker.terminate()).catch(() => undefined);
      await watching;
    },
  };
}
