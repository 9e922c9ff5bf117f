import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer, json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpBindingData } from './binding-data.ts';
import { endWith, forward, platformHeaders } from './forward.ts';
import { createRouter, type Match, readTarget, type Target } from './routes.ts';
import type { LocalHostOptions } from './settings.ts';
import type { FunctionInfo, Worker } from './worker-process.ts';

type FrontOptions = LocalHostOptions & { worker: Worker; functions: FunctionInfo[]; routePrefix: string };

/** Makes the server clients talk to; `settled` waits until the requests it has are over. */
export function createFront(options: FrontOptions) {
  const findFunction = createRouter(options.functions, options.routePrefix);
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const target = readTarget(request);
    if (!target) return endWith(response, 400);
    const [, byHand] = /^\/admin\/functions\/([^/]+)$/i.exec(target.path) ?? [];
    if (byHand) return endWith(response, await runByHand(byHand, request, options));
    const found = findFunction(request.method ?? '', target.path);
    if (!found) return endWith(response, target.path === '/' ? 204 : 404);
    await runHttpFunction(request, response, { ...target, ...found }, options);
  };
  const open = new Set<ServerResponse>();
  // Kestrel has no limit on the time of an upload, and holds idle connections for 130 s.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 130_000 }, (request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    handle(request, response).catch((error: Error) => {
      if (response.destroyed) return; // The client has gone.
      options.log('error', `${request.method} ${request.url} failed: ${error.message}`);
      endWith(response, 500);
    });
  });
  return { server, settled: () => Promise.all([...open].map((response) => once(response, 'close'))) };
}

/** Runs a timer or queue function as the host's admin API does; resolves with the status of the answer. */
async function runByHand(name: string, request: IncomingMessage, { functions, worker }: FrontOptions) {
  const fn = functions.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (!fn || fn.binding.type === 'httpTrigger' || request.method !== 'POST') return 404;
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return 415;
  const body = (await json(request).catch(() => null)) as { input?: unknown } | null;
  if (typeof body?.input !== 'string') return 400;
  const isTimer = fn.binding.type === 'timerTrigger';
  const data = isTimer ? { json: JSON.stringify({ IsPastDue: false }) } : { string: body.input };
  worker.invoke(fn, data, {}).catch(() => undefined); // Its failure is logged like that of any run.
  return 202;
}

/** Invokes a function in stream mode: the request over HTTP, its binding data over IPC, tied by the invocation id. */
async function runHttpFunction(
  request: IncomingMessage,
  response: ServerResponse,
  { fn, params, url, search }: Target & Match,
  { worker, env, strict, log }: FrontOptions,
) {
  const bodyLimit = Number(env['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? 104_857_600);
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > bodyLimit) return endWith(response, 413);
  // A body that states its length is read as a whole before anything runs; only chunked ones stream.
  const body = length > 0 ? await buffer(request) : undefined;
  const invocationId = randomUUID();
  const seen = platformHeaders(request);
  const headers = { ...seen, 'x-ms-invocation-id': invocationId };
  forward(request, response, { port: worker.httpPort, path: url, headers }, bodyLimit, body);
  const data = httpBindingData(params, search, seen, `${body ?? ''}`);
  const running = worker.invoke(fn, { http: {} }, data, invocationId);
  const failure = running.then((answered) => (answered ? undefined : 'it returned nothing'));
  const problem = await failure.catch((error: Error) => error.message.split('\n')[0]);
  if (!problem || strict || response.destroyed) return;
  // The beginning of a response may still be on its way: it came by another channel.
  await sleep(100);
  const fault = `'Functions.${fn.name}' sent no complete response: ${problem}`;
  log('error', `${fault}. On Azure the client would hang for 240 s.`);
  if (!response.writableFinished) endWith(response, 500);
}
