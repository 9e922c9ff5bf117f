import type { Invocation } from '../protocol.ts';
import { type App, withReadOnly } from './core-api.ts';

/**
 * Runs one invocation through the library's model and the hooks, in the order of the Node worker.
 *
 * @returns whether the handler returned something; the library sends no HTTP response otherwise
 */
export async function invoke(app: App, request: Invocation): Promise<boolean> {
  const registered = app.functions.get(request.functionId);
  const programmingModel = app.getProgrammingModel();
  if (!registered || !programmingModel) throw new Error(`The function "${request.functionId}" is not loaded`);
  const shared = { hookData: {}, appHookData: app.appHookData, invocationContext: undefined as unknown };
  const coreContext = {
    invocationId: request.invocationId,
    request,
    metadata: registered.info,
    state: undefined as string | undefined,
    log: (level: string, category: string, message: string) => app.log(level, category, message, shared),
  };
  const during = async <T>(state: string, work: () => Promise<T>): Promise<T> => {
    coreContext.state = state;
    return work().finally(() => {
      coreContext.state = undefined;
    });
  };

  const model = await programmingModel.getInvocationModel(coreContext);
  const { inputs, context } = await model.getArguments();
  shared.invocationContext = context;
  const before = withReadOnly({ inputs, functionCallback: registered.callback }, shared);
  await during('preInvocationHooks', () => app.runHooks('preInvocation', before));

  const outcome = { inputs: before.inputs, result: null as unknown, error: null as unknown };
  const after = withReadOnly(outcome, shared);
  const call = () => model.invokeFunction(context, before.inputs, before.functionCallback);
  try {
    after.result = await during('invocation', call);
  } catch (error) {
    after.error = error;
  }
  await during('postInvocationHooks', () => app.runHooks('postInvocation', after));

  if (after.error !== null && after.error !== undefined) throw after.error;
  await model.getResponse(context, after.result);
  return after.result !== null && after.result !== undefined;
}
