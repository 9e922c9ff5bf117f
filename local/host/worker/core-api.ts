import type { FunctionInfo } from '../protocol.ts';

type Callback = (...inputs: unknown[]) => unknown;
type Hook = (context: object) => unknown;

interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: Callback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<unknown>;
}

interface ProgrammingModel {
  getInvocationModel(coreContext: object): InvocationModel | Promise<InvocationModel>;
  getCapabilities(defaults: object): Promise<Record<string, string>>;
}

class Disposable {
  #dispose: (() => unknown) | undefined;
  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }
  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => disposables.forEach((disposable) => void disposable.dispose()));
  }
  dispose(): void {
    this.#dispose?.();
    this.#dispose = undefined;
  }
}

/** Adds properties that cannot be assigned, as the contexts of hooks have them. */
export function withReadOnly<T extends object>(target: T, values: object): T {
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(target, name, { enumerable: true, value });
  return target;
}

export type App = ReturnType<typeof createApp>;

/** One function app and its module `@azure/functions-core` (the contract is `types-core` of the library). */
export function createApp(emit: (level: string, message: string) => void) {
  const hookNames = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate', 'log'];
  const hooks = new Map<string, Set<Hook>>(hookNames.map((name) => [name, new Set()]));
  const functions = new Map<string, { info: FunctionInfo; callback: Callback }>();
  const appHookData = {};
  let model: ProgrammingModel | undefined;
  let started = false;

  const log = (level: string, category: string, message: string, invocation?: object) => {
    const line = withReadOnly({ level, message }, { hookData: {}, ...invocation, appHookData, category });
    for (const hook of hooks.get('log') ?? []) hook(line);
    // A hook may change what the app says, not what the platform says.
    if (category === 'user') emit(line.level, line.message);
    else emit(level, message);
  };
  const registerHook = (name: string, hook: Hook) => {
    const registered = hooks.get(name);
    const mark = { isAzureFunctionsSystemError: true };
    if (!registered) throw Object.assign(new RangeError(`Unrecognized hook "${name}"`), mark);
    registered.add(hook);
    return new Disposable(() => registered.delete(hook));
  };
  const registerFunction = ({ name, bindings }: FunctionInfo, callback: Callback) => {
    if (started) throw new Error('A function can only be registered during app startup.');
    if (functions.has(name)) throw new Error(`A function with the name "${name}" is already registered.`);
    const trigger = Object.keys(bindings).find((key) => /trigger$/i.test(bindings[key]?.type ?? '')) ?? '';
    functions.set(name, { info: { name, bindings, trigger }, callback });
    return new Disposable(() => {
      if (started) throw new Error('A function can only be disposed during app startup.');
      functions.delete(name);
    });
  };
  const setProgrammingModel = (chosen: ProgrammingModel) => {
    model = chosen;
  };
  const getProgrammingModel = () => model;
  const versions = { version: '3.0.0-local', hostVersion: '4.0.0-local' };
  const registration = { registerHook, registerFunction, setProgrammingModel, getProgrammingModel };

  return {
    coreApi: { ...versions, ...registration, Disposable, log },
    functions,
    appHookData,
    log,
    getProgrammingModel,
    /** Runs the hooks of one kind, in the order of their registration. */
    async runHooks(name: string, context: object): Promise<void> {
      for (const hook of hooks.get(name) ?? []) await hook(context);
    },
    /** From here on functions can no longer be registered. */
    endStartup() {
      started = true;
    },
  };
}
