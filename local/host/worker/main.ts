/** The worker process: loads a built function app as Azure's Node worker does, and runs what the front sends. */
import { globSync, readFileSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import type { FromWorker, ToWorker } from '../protocol.ts';
import { createApp, withReadOnly } from './core-api.ts';
import { invoke } from './invoke.ts';
import { listenOnLoopbackByDefault } from './loopback.ts';

const appFolder = process.argv[2] ?? process.cwd();

function send(message: FromWorker, sent?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, sent);
  else sent?.();
}

/** Says why and exits; the front sees the exit and starts a new worker. */
const die = (message: FromWorker) => send(message, () => process.exit(1));
const crash = (error: unknown) =>
  die({ kind: 'log', level: 'error', message: `Uncaught: ${inspect(error)}` });

const app = createApp((level, message) => send({ kind: 'log', level, message }));
const hookContext = (own: object) => withReadOnly(own, { hookData: {}, appHookData: app.appHookData });

async function start(): Promise<FromWorker> {
  const { main } = JSON.parse(readFileSync(join(appFolder, 'package.json'), 'utf8'));
  const files = globSync(main, { cwd: appFolder });
  if (files.length === 0) throw new Error(`No file matches "main" of package.json: ${main}`);
  for (const file of files) await import(pathToFileURL(join(appFolder, file)).href);
  await app.runHooks('appStart', hookContext({ functionAppDirectory: appFolder }));
  const httpUri = (await app.getProgrammingModel()?.getCapabilities({}))?.['HttpUri'];
  if (!httpUri)
    throw new Error('The local host runs only apps that call app.setup({ enableHttpStream: true })');
  app.endStartup();
  return { kind: 'ready', functions: [...app.functions.values()].map(({ info }) => info), httpUri };
}

async function obey(message: ToWorker): Promise<void> {
  if (message.kind === 'terminate') {
    await app.runHooks('appTerminate', hookContext({}));
    process.exit(0);
  }
  const { invocationId } = message.invocation;
  try {
    send({ kind: 'result', invocationId, answered: await invoke(app, message.invocation) });
  } catch (error) {
    send({ kind: 'result', invocationId, answered: false, error: inspect(error) });
  }
}

process.on('uncaughtException', crash);
// The front has gone.
process.on('disconnect', () => process.exit(1));
// Ctrl-C reaches the whole process group; the front ends the worker in an orderly way.
process.on('SIGINT', () => undefined);
process.on('message', (message: ToWorker) => void obey(message).catch(crash));
listenOnLoopbackByDefault();
// The library asks for the core module with `require`, also in an app that is an ES module.
Module.prototype.require = new Proxy(Module.prototype.require, {
  apply: (require, self, [id]) =>
    id === '@azure/functions-core' ? app.coreApi : Reflect.apply(require, self, [id]),
});
start().then(send, (error) => die({ kind: 'failed', message: inspect(error) }));
