/** The worker process: loads a built function app as Azure's Node worker does, and runs what the front sends. */
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import type { ListenOptions } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import type { FunctionInfo, WorkerMessage } from './worker-process.ts';

type Callback = (...inputs: unknown[]) => unknown;
type Hook = (context: object) => unknown;
type Metadata = { name: string; bindings: Record<string, FunctionInfo['binding']> };
type Request = 'terminate' | { invocationId: string; functionId: string };

/** The part of `types-core` of the library through which a worker runs functions. */
interface ProgrammingModel {
  getCapabilities(defaults: object): Promise<{ HttpUri?: string }>;
  getInvocationModel(coreContext: object): {
    getArguments(): Promise<{ context: object; inputs: unknown[] }>;
    invokeFunction(context: object, inputs: unknown[], callback: Callback): Promise<unknown>;
    getResponse(context: object, result: unknown): Promise<unknown>;
  };
}

class Disposable {
  readonly dispose: () => unknown;
  constructor(dispose: () => unknown) {
    this.dispose = dispose;
  }
}

const [, , appFolder = ''] = process.argv;
const appHookData = {};
const functions = new Map<string, FunctionInfo & { metadata: Metadata; callback: Callback }>();
const hookNames = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate'];
const hooks = new Map(hookNames.map((name) => [name, new Set<Hook>()]));
let model: ProgrammingModel | undefined;

const send = (message: WorkerMessage, sent?: () => void) => process.send?.(message, undefined, {}, sent);
const endAfter = (message: WorkerMessage) => send(message, () => process.exit(1));
const crash = (error: unknown) => endAfter({ level: 'error', log: `Uncaught: ${inspect(error)}` });

/** The module `@azure/functions-core`. */
const coreApi = {
  version: '3.0.0-local',
  hostVersion: '4.0.0-local',
  Disposable,
  log: (level: string, _category: string, log: string) => send({ level, log }),
  registerHook(name: string, hook: Hook) {
    const registered = hooks.get(name);
    if (!registered) throw new RangeError(`The local host does not know the hook "${name}"`);
    registered.add(hook);
    return new Disposable(() => registered.delete(hook));
  },
  registerFunction(metadata: Metadata, callback: Callback) {
    const { name, bindings } = metadata;
    const [trigger = '', ...others] = Object.keys(bindings).filter((key) => key !== '$return');
    const binding = bindings[trigger];
    if (!binding || others.length > 0) throw new Error(`"${name}" has bindings unknown to the local host`);
    if (functions.has(name)) throw new Error(`A function with the name "${name}" is already registered.`);
    functions.set(name, { name, trigger, binding, metadata, callback });
    return new Disposable(() => functions.delete(name));
  },
  setProgrammingModel(chosen: ProgrammingModel) {
    model = chosen;
  },
  getProgrammingModel: () => model,
};

async function runHooks(name: string, context: object): Promise<void> {
  for (const hook of hooks.get(name) ?? []) await hook(context);
}

async function load() {
  const { main } = JSON.parse(readFileSync(join(appFolder, 'package.json'), 'utf8'));
  await import(pathToFileURL(join(appFolder, main)).href);
  await runHooks('appStart', { hookData: {}, appHookData, functionAppDirectory: appFolder });
  const { HttpUri = '' } = (await model?.getCapabilities({})) ?? {};
  if (!HttpUri)
    throw new Error('The local host needs an app that calls app.setup({ enableHttpStream: true })');
  return { functions: [...functions.values()], httpPort: Number(new URL(HttpUri).port) };
}

/** Runs a function through the library's model and the hooks; true when it returned something. */
async function invoke(request: Exclude<Request, string>): Promise<boolean> {
  const { invocationId, functionId } = request;
  const { metadata, callback } = functions.get(functionId) ?? {};
  if (!model || !callback) throw new Error(`The function "${functionId}" is not loaded`);
  const coreContext = { invocationId, request, metadata, log: coreApi.log, state: 'invocation' };
  const invocation = model.getInvocationModel(coreContext);
  const { inputs, context } = await invocation.getArguments();
  const shared = { hookData: {}, appHookData, invocationContext: context };
  const before = { ...shared, inputs, functionCallback: callback };
  await runHooks('preInvocation', before);
  const after = { ...shared, inputs: before.inputs, result: null as unknown, error: null as unknown };
  try {
    after.result = await invocation.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error;
  }
  coreContext.state = 'postInvocationHooks'; // The library warns of lines that come after an invocation.
  await runHooks('postInvocation', after);
  if (after.error !== null && after.error !== undefined) throw after.error;
  await invocation.getResponse(context, after.result);
  return after.result !== null && after.result !== undefined;
}

async function obey(request: Request): Promise<void> {
  if (request === 'terminate') {
    await runHooks('appTerminate', { hookData: {}, appHookData });
    process.exit(0);
  }
  const outcome = invoke(request).then((value) => ({ value }));
  send({ id: request.invocationId, ...(await outcome.catch((error) => ({ error: inspect(error) }))) });
}

process.on('uncaughtException', crash);
process.on('disconnect', () => process.exit(1)); // The front has gone.
process.on('SIGINT', () => undefined); // Ctrl-C reaches the whole process group; the front ends the worker.
process.on('message', (request: Request) => void obey(request).catch(crash));
// The library's stream server names no address, and whoever reaches it can send requests past the front.
subscribe('tracing:net.server.listen:asyncStart', (message) => {
  (message as { options: ListenOptions }).options.host ??= '127.0.0.1';
});
// The library asks for the core module with `require`, also in an app that is an ES module.
Module.prototype.require = new Proxy(Module.prototype.require, {
  apply: (load, self, [id]) => (id === '@azure/functions-core' ? coreApi : Reflect.apply(load, self, [id])),
});
load().then(
  (value) => send({ value }),
  (error) => endAfter({ error: `The app cannot be loaded: ${inspect(error)}` }),
);
