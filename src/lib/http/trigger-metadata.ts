import { createRequire } from 'node:module';

/** The part of the worker's invocation that is needed here. */
interface CoreInvocation {
  readonly metadata: { readonly bindings?: Readonly<Record<string, { readonly type?: string }>> };
  readonly request: { triggerMetadata?: unknown };
}

interface ProgrammingModel {
  getInvocationModel(invocation: CoreInvocation): unknown;
}

interface FunctionsCore {
  getProgrammingModel(): ProgrammingModel;
  setProgrammingModel(model: ProgrammingModel): void;
}

/**
 * Takes the trigger metadata of HTTP invocations away before `@azure/functions` builds its request from them.
 *
 * The host merges query string and JSON body into that metadata, and the library makes `Request` headers of what it finds:
 * `?Headers={"no valid name":"x"}` makes it throw before our handler is called, and the host then waits 240 s for an answer
 * that never comes. Nothing here reads it: parameters and headers come from the wire.
 */
export function ignoreTriggerMetadata(): void {
  const core: FunctionsCore = createRequire(import.meta.url)('@azure/functions-core');
  const model = core.getProgrammingModel();
  core.setProgrammingModel(
    Object.create(model, {
      getInvocationModel: {
        value(invocation: CoreInvocation) {
          const bindings = Object.values(invocation.metadata.bindings ?? {});
          if (bindings.some(({ type }) => type?.toLowerCase() === 'httptrigger')) {
            invocation.request.triggerMetadata = {};
          }
          return model.getInvocationModel(invocation);
        },
      },
    }) as ProgrammingModel,
  );
}
