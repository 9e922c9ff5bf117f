import { hash, randomUUID, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpBindingData } from './binding-data.ts';
import { endWith, forward, platformHeaders } from './forward.ts';
import type { Binding, FunctionInfo } from './protocol.ts';
import { compileRoute, readTarget, type Target } from './routes.ts';
import type { Log } from './settings.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Keys that callers send as `x-functions-key` or `?code=`; `functions` by the name of the function. */
export interface FunctionKeys {
  readonly master: string;
  readonly host?: readonly string[];
  readonly functions?: Readonly<Record<string, readonly string[]>>;
}

interface FrontOptions {
  readonly functions: readonly FunctionInfo[];
  readonly routePrefix: string;
  readonly keys: FunctionKeys | undefined;
  readonly bodyLimitBytes: number;
  readonly strict: boolean;
  readonly log: Log;
  readonly worker: () => Promise<WorkerProcess>;
  readonly admin: (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;
}

interface Match {
  readonly fn: FunctionInfo;
  readonly params: Readonly<Record<string, string>>;
}

/** The HTTP server clients talk to, and when the requests it has are over. */
interface Front {
  readonly server: Server;
  settled(): Promise<unknown>;
}

/** Makes the server that finds the function of a request and lets the worker answer. */
export function createFront(options: FrontOptions): Front {
  const findFunction = createRouter(options);
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const target = readTarget(request);
    if (!target) return endWith(response, 400);
    const isAdmin = /^\/admin\//i.test(target.path);
    const match = isAdmin ? undefined : findFunction(request.method ?? '', target.path);
    if (!isAdmin && !match) return endWith(response, target.path === '/' ? 204 : 404);
    if (!isAllowed(options.keys, match?.fn, request, target)) return endWith(response, 401);
    if (!match) return options.admin(request, response, target.path);
    return runHttpFunction(options, match, target, request, response);
  };
  const open = new Set<ServerResponse>();
  // Kestrel has no limit on the time of an upload, and holds idle connections for 130 s.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 130_000 }, (request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    handle(request, response).catch((error: Error) => {
      options.log('error', `${request.method} ${request.url} failed: ${error.message}`);
      endWith(response, 500);
    });
  });
  return { server, settled: () => Promise.all([...open].map((response) => once(response, 'close'))) };
}

/** The first function in the order of names wins, however general its route: the host knows no precedence. */
function createRouter({ functions, routePrefix }: FrontOptions) {
  const routes = functions
    .flatMap((fn) => {
      const { type, route, methods }: Partial<Binding> = fn.bindings[fn.trigger] ?? {};
      if (!/^httptrigger$/i.test(type ?? '')) return [];
      return {
        fn,
        methods: methods as string[] | undefined,
        match: compileRoute(`${routePrefix}/${route ?? fn.name}`),
      };
    })
    .sort((a, b) => (a.fn.name.toUpperCase() < b.fn.name.toUpperCase() ? -1 : 1));
  return (method: string, path: string): Match | undefined => {
    for (const { fn, methods, match } of routes) {
      const params =
        !methods?.length || methods.some((m) => m.toUpperCase() === method) ? match(path) : undefined;
      if (params) return { fn, params };
    }
    return undefined;
  };
}

/** The master key opens everything, the keys of host and function what asks for a function key. */
function isAllowed(
  keys: FunctionKeys | undefined,
  fn: FunctionInfo | undefined,
  request: IncomingMessage,
  target: Target,
) {
  const level = fn?.bindings[fn.trigger]?.['authLevel'] ?? 'admin';
  if (!keys || level === 'anonymous' || /^\/admin\/host\/ping$/i.test(target.path)) return true;
  const given = request.headers['x-functions-key'] ?? target.search.get('code') ?? '';
  const valid = [
    keys.master,
    ...(fn && level === 'function' ? [...(keys.host ?? []), ...(keys.functions?.[fn.name] ?? [])] : []),
  ];
  const digest = (key: string) => hash('sha256', key, 'buffer');
  return valid.some((key) => timingSafeEqual(digest(key), digest(String(given))));
}

/** Invokes a function in stream mode: the request over HTTP, its binding data over IPC, tied by the invocation id. */
async function runHttpFunction(
  options: FrontOptions,
  { fn, params }: Match,
  target: Target,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const { bodyLimitBytes, strict, log } = options;
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > bodyLimitBytes) return endWith(response, 413);
  // A body that states its length is read as a whole before anything runs; only chunked ones stream.
  const body = length > 0 ? await buffer(request).catch(() => undefined) : undefined;
  if (length > 0 && !body) return; // The client has gone in the middle of it.
  const worker = await options.worker();
  if (response.destroyed) return;
  const invocationId = randomUUID();
  const headers = Object.fromEntries(
    Object.entries(platformHeaders(request)).map(([name, values]) => [name, values.join(',')]),
  );
  forward({ request, response, body, port: worker.httpPort, url: target.url, invocationId, bodyLimitBytes });
  const { traceparent, tracestate } = request.headers;
  const problem = await worker
    .invoke({
      invocationId,
      functionId: fn.name,
      inputData: [{ name: fn.trigger, data: { http: {} } }],
      triggerMetadata: httpBindingData({
        params,
        search: target.search,
        headers,
        body: body?.toString() ?? '',
      }),
      traceContext: { traceParent: `${traceparent ?? ''}`, traceState: `${tracestate ?? ''}` },
    })
    .then(
      (answered) => (answered ? undefined : 'it returned nothing'),
      (error: Error) => error.message.split('\n')[0],
    );
  if (!problem || strict || response.destroyed) return;
  // The beginning of a response may still be on its way: it came by another channel.
  await sleep(100);
  log(
    'error',
    `'Functions.${fn.name}' sent no complete response: ${problem}. On Azure the client would hang for 240 s.`,
  );
  if (!response.writableFinished) endWith(response, 500);
}
