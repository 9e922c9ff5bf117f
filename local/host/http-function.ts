import { randomUUID } from 'node:crypto';
import * as http from 'node:http';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpBindingData } from './binding-data.ts';
import type { Match, Target } from './routes.ts';
import type { Host } from './worker-process.ts';

type Exchange = { readonly request: http.IncomingMessage; readonly response: http.ServerResponse };

const notForwarded =
  /^(?:connection|expect|host|keep-alive|proxy-connection|te|transfer-encoding|upgrade|x-ms-invocation-id)$/;

function forwarded(headers: http.IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !notForwarded.test(name));
  return Object.fromEntries(kept) as Record<string, string>;
}

/** Answers with a status alone while that is possible; a response that has begun is broken off. */
export function endWith(response: http.ServerResponse, status: number): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status).end();
}

/** Runs a function in stream mode: the request over HTTP, its binding data over IPC, tied by the invocation id. */
export async function runHttpFunction(exchange: Exchange, target: Target & Match, host: Host): Promise<void> {
  const { request, response } = exchange;
  const bodyLimit = Number(host.env['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? 104_857_600);
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > bodyLimit) return endWith(response, 413);
  // A body that states its length is read as a whole before anything runs; only chunked ones stream.
  const body = length > 0 ? await buffer(request) : undefined;
  const { 'x-forwarded-for': before = [] } = request.headers;
  const addresses = [before, request.socket.remoteAddress].flat().join(', ');
  const origin = { 'x-forwarded-host': request.headers.host ?? '', 'x-forwarded-proto': 'http' };
  const headers = { ...forwarded(request.headers), 'x-forwarded-for': addresses, ...origin };
  const id = randomUUID();
  const upstream = http.request({
    host: '127.0.0.1',
    port: host.worker.httpPort,
    method: request.method,
    path: target.url,
    agent: false, // A connection of its own, for the body may be left half read.
    // Without `keep-alive` the worker would cut an upload off that it has answered early, and lose the answer.
    headers: { ...headers, connection: 'keep-alive', 'x-ms-invocation-id': id },
  });
  forward(exchange, upstream, bodyLimit, body);
  const data = httpBindingData(target.params, target.search, headers, `${body ?? ''}`);
  const running = host.worker.invoke(target.fn, { http: {} }, data, id);
  const failure = running.then((answered) => (answered ? undefined : 'it returned nothing'));
  const problem = await failure.catch((error: Error) => error.message.split('\n')[0]);
  if (!problem || host.strict || response.destroyed) return;
  await sleep(100); // The beginning of a response may still be on its way: it came by another channel.
  const fault = `'Functions.${target.fn.name}' sent no complete response: ${problem}`;
  host.log('error', `${fault}. On Azure the client would hang for 240 s.`);
  if (!response.writableFinished) endWith(response, 500);
}

/** Passes a request on to the worker and its response back; never a clean end for half of one. */
function forward(
  { request, response }: Exchange,
  upstream: http.ClientRequest,
  limit: number,
  body?: Buffer,
) {
  upstream.setTimeout(240_000, () => upstream.destroy()); // Without a byte for so long, as in the host (YARP).
  upstream.once('error', () => endWith(response, 500));
  upstream.once('response', (answer) => {
    if (response.headersSent) return; // The request has been refused for its size.
    response.writeHead(answer.statusCode ?? 502, forwarded(answer.headers)).flushHeaders();
    pipeline(answer, response, () => undefined);
  });
  response.once('close', () => {
    upstream.destroy();
    request.unpipe(upstream).resume(); // An upload nobody wanted is read, or its client could not read the answer.
    setTimeout(() => request.complete || request.destroy(), 5000).unref(); // As Kestrel, for 5 s.
  });
  if (body) return void upstream.end(body);
  let received = 0;
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > limit) endWith(response, 413);
  });
  request.pipe(upstream);
}
