import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { endWith, runHttpFunction } from './http-function.ts';
import { createRouter, readTarget } from './routes.ts';
import type { Host } from './worker-process.ts';

/** Makes the server clients talk to; `settled` waits until the requests it has are over. */
export function createFront(host: Host) {
  const findFunction = createRouter(host);
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const target = readTarget(request);
    if (typeof target === 'number') return endWith(response, target);
    const [, byHand] = /^\/admin\/functions\/([^/]+)$/i.exec(target.path) ?? [];
    if (byHand) return endWith(response, await runByHand(byHand, request, host));
    const found = findFunction(request.method ?? '', target.path);
    if (!found) {
      host.log('warning', `No function has the route ${request.method} ${target.path}`);
      return endWith(response, target.path === '/' ? 204 : 404);
    }
    await runHttpFunction({ request, response }, { ...target, ...found }, host);
  };
  const open = new Set<ServerResponse>();
  // Kestrel has no limit on the time of an upload, waits 30 s for headers, and holds idle connections for 130 s.
  const times = { requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 130_000 };
  const server = createServer({ ...times, maxHeaderSize: 2 ** 17 }, (request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    handle(request, response).catch((error: Error) => {
      if (response.destroyed) return; // The client has gone.
      host.log('error', `${request.method} ${request.url} failed: ${error.message}`);
      endWith(response, 500);
    });
  });
  return { server, settled: () => Promise.all([...open].map((response) => once(response, 'close'))) };
}

/** Runs a timer or queue function as the host's admin API does; resolves with the status of the answer. */
async function runByHand(name: string, request: IncomingMessage, host: Host): Promise<number> {
  const fn = host.functions.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (!fn || fn.binding.type === 'httpTrigger' || request.method !== 'POST') return 404;
  // No credential is asked for here, and a website can have its own name mean this machine.
  if (!/^(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/i.test(request.headers.host ?? '')) return 403;
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return 415;
  const body = (await json(request).catch(() => null)) as { input?: unknown } | null;
  if (typeof body?.input !== 'string') return 400;
  const data = fn.binding.type === 'timerTrigger' ? { json: '{"IsPastDue":false}' } : { string: body.input };
  host.worker.invoke(fn, data, {}).catch(() => undefined); // Its failure is logged like that of any run.
  return 202;
}
