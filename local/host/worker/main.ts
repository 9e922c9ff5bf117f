/** The worker process: loads a built function app as Azure's Node worker does, and runs what the front sends. */
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import type { ListenOptions } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import type { FunctionInfo, Invocation, WorkerMessage } from '../contract.ts';
import { coreApi, functions, programmingModel, runHooks } from './core-api.ts';

const [, , appFolder = ''] = process.argv;
const appHookData = {};
const send = (message: WorkerMessage, sent?: () => void) => process.send?.(message, undefined, {}, sent);
const log = (level: string, _category: string, line: string) => send({ level, log: line });
const endAfter = (message: WorkerMessage) => send(message, () => process.exit(1));
const crash = (error: unknown) => endAfter({ level: 'error', log: `Uncaught: ${inspect(error)}` });

async function load(): Promise<{ functions: FunctionInfo[]; httpPort: number }> {
  const { main } = JSON.parse(readFileSync(join(appFolder, 'package.json'), 'utf8'));
  await import(pathToFileURL(join(appFolder, main)).href);
  await runHooks('appStart', { hookData: {}, appHookData, functionAppDirectory: appFolder });
  const { HttpUri } = await programmingModel().getCapabilities({});
  if (!HttpUri)
    throw new Error('The local host runs only apps that call app.setup({ enableHttpStream: true })');
  const infos = functions.values().map(({ info }) => info);
  return { functions: [...infos], httpPort: Number(new URL(HttpUri).port) };
}

/** Runs a function through the library's model and the hooks; true when it returned something. */
async function invoke(request: Invocation): Promise<boolean> {
  const { invocationId, functionId } = request;
  const { metadata, callback } = functions.get(functionId) ?? {};
  if (!callback) throw new Error(`The function "${functionId}" is not loaded`);
  const coreContext = { invocationId, request, metadata, log, state: 'invocation' };
  const model = programmingModel().getInvocationModel(coreContext);
  const { inputs, context } = await model.getArguments();
  const shared = { hookData: {}, appHookData, invocationContext: context };
  const before = { ...shared, inputs, functionCallback: callback };
  await runHooks('preInvocation', before);

  const after = { ...shared, inputs: before.inputs, result: null as unknown, error: null as unknown };
  try {
    after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error;
  }
  coreContext.state = 'postInvocationHooks'; // The library warns of lines that are logged after an invocation.
  await runHooks('postInvocation', after);

  if (after.error !== null && after.error !== undefined) throw after.error;
  await model.getResponse(context, after.result);
  return after.result !== null && after.result !== undefined;
}

async function obey(message: Invocation | 'terminate'): Promise<void> {
  if (message === 'terminate') {
    await runHooks('appTerminate', { hookData: {}, appHookData });
    process.exit(0);
  }
  const outcome = invoke(message).then((value) => ({ value }));
  const failure = (error: unknown) => ({ error: inspect(error) });
  send({ id: message.invocationId, ...(await outcome.catch(failure)) });
}

process.on('uncaughtException', crash);
process.on('disconnect', () => process.exit(1)); // The front has gone.
process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole process group; the front ends the worker.
process.on('message', (message: Invocation | 'terminate') => void obey(message).catch(crash));
// The library's stream server names no address, and whoever reaches it can send requests past the front.
subscribe('tracing:net.server.listen:asyncStart', (message) => {
  (message as { options: ListenOptions }).options.host ??= '127.0.0.1';
});
// The library asks for the core module with `require`, also in an app that is an ES module.
const core = { ...coreApi, log };
Module.prototype.require = new Proxy(Module.prototype.require, {
  apply: (require, self, [id]) =>
    id === '@azure/functions-core' ? core : Reflect.apply(require, self, [id]),
});
load().then(
  (value) => send({ value }),
  (error) => endAfter({ error: `The app cannot be loaded: ${inspect(error)}` }),
);
