import { join } from 'node:path';
import process from 'node:process';
import { type Func, findFunc } from './func.ts';
import { startLocalHost } from './host/index.ts';
import type { Log } from './log-lines.ts';
import { startGuarded, waitUntilReady } from './services/guarded-process.ts';
import { localHostname } from './services/ports.ts';

/** The app, being served. */
export interface Served {
  /** By what, in a few words. */
  readonly by: string;
  /** Resolves when it has ended, wanted or not. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

interface ServeOptions {
  readonly root: string;
  /** The local folder; timers keep their schedules below it. */
  readonly folder: string;
  readonly port: number;
  /** The whole environment of the app. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** func may have to download its extension bundle first. */
const funcStartTimeoutMs = 300_000;

/** Serves the built app: with `func start` where there is a `func`, else with the local host. */
export async function serve(options: ServeOptions): Promise<Served> {
  const func = await findFunc(options.root, process.env['PATH'] ?? '');
  return func === undefined ? serveWithLocalHost(options) : serveWithFunc(func, options);
}

async function serveWithLocalHost({ root, folder, port, env, log }: ServeOptions): Promise<Served> {
  const host = await startLocalHost({ appFolder: root, port, env, stateFolder: join(folder, 'host'), log });
  return {
    by: `local host, ${host.functionNames.length} functions`,
    // The host itself lives in this process.
    exited: host.workerExited,
    stop: () => host.stop(),
  };
}

async function serveWithFunc(func: Func, { root, port, env }: ServeOptions): Promise<Served> {
  const command = { command: func.path, args: ['start', '--port', String(port)], folder: root };
  const program = startGuarded(command, undefined, env);
  await waitUntilReady('func', program, () => answers(port), { timeoutMs: funcStartTimeoutMs });
  return { by: funcDescription(func), exited: program.exited, stop: () => program.stop() };
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://${localHostname}:${port}/health`)).ok;
  } catch {
    return false;
  }
}

/** Core Tools listened on every address until 4.13.0 (its release notes), which must not go unsaid. */
function funcDescription({ version }: Func): string {
  const minor = Number(version.split('.')[1]);
  return `func ${version}${minor < 13 ? ', which listens on all addresses (4.13 and newer: only on this machine)' : ''}`;
}
