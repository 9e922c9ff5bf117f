import type { FunctionInfo } from '../contract.ts';

type Callback = (...inputs: unknown[]) => unknown;
type Metadata = { readonly name: string; readonly bindings: Record<string, FunctionInfo['binding']> };
type Hook = (context: object) => unknown;

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

export const functions = new Map<string, { info: FunctionInfo; metadata: Metadata; callback: Callback }>();
const hookNames = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate'];
const hooks = new Map(hookNames.map((name) => [name, new Set<Hook>()]));
let model: ProgrammingModel | undefined;

/** The module `@azure/functions-core`, but for its `log`. */
export const coreApi = {
  version: '3.0.0-local',
  hostVersion: '4.0.0-local',
  Disposable,
  registerHook(name: string, hook: Hook): Disposable {
    const registered = hooks.get(name);
    if (!registered) throw new RangeError(`The local host does not know the hook "${name}"`);
    registered.add(hook);
    return new Disposable(() => registered.delete(hook));
  },
  registerFunction(metadata: Metadata, callback: Callback): Disposable {
    const { name, bindings } = metadata;
    const [trigger = '', ...others] = Object.keys(bindings).filter((key) => key !== '$return');
    const binding = bindings[trigger];
    if (!binding || others.length > 0)
      throw new Error(`The local host does not know all bindings of "${name}".`);
    if (functions.has(name)) throw new Error(`A function with the name "${name}" is already registered.`);
    functions.set(name, { info: { name, trigger, binding }, metadata, callback });
    return new Disposable(() => functions.delete(name));
  },
  setProgrammingModel(chosen: ProgrammingModel): void {
    model = chosen;
  },
  getProgrammingModel: () => model,
};

export function programmingModel(): ProgrammingModel {
  if (!model) throw new Error('The app does not use @azure/functions');
  return model;
}

export async function runHooks(name: string, context: object): Promise<void> {
  for (const hook of hooks.get(name) ?? []) await hook(context);
}
