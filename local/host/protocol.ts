/** What the front and its worker say to each other over IPC, in the words of the Functions RPC contract. */

/** A value for a function; a `string` that is JSON is parsed by the library too. */
export type TypedData = { string: string } | { json: string } | { http: object };
export type TriggerMetadata = Record<string, TypedData>;
export type Binding = Readonly<Record<string, unknown>> & { readonly type: string };

/** A function as the app registered it; `trigger` is the name of its trigger binding. */
export interface FunctionInfo {
  readonly name: string;
  readonly trigger: string;
  readonly bindings: Readonly<Record<string, Binding>>;
}

export interface Invocation {
  readonly invocationId: string;
  readonly functionId: string;
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
  readonly triggerMetadata: TriggerMetadata;
  readonly traceContext?: { readonly traceParent: string; readonly traceState: string };
}

export type ToWorker = { kind: 'invoke'; invocation: Invocation } | { kind: 'terminate' };

/** `answered`: the handler returned something, so an HTTP response went out through the stream server. */
export type FromWorker =
  | { kind: 'ready'; functions: FunctionInfo[]; httpUri: string }
  | { kind: 'failed'; message: string }
  | { kind: 'log'; level: string; message: string }
  | { kind: 'result'; invocationId: string; answered: boolean; error?: string };
