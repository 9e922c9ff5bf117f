import * as http from 'node:http';
import { pipeline } from 'node:stream';

const notForwarded =
  /^(?:connection|expect|host|keep-alive|proxy-connection|te|transfer-encoding|upgrade|x-ms-invocation-id)$/;

function forwarded(headers: http.IncomingHttpHeaders): http.IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !notForwarded.test(name)));
}

/** Answers with a status alone while that is possible; a response that has begun is broken off. */
export function endWith(response: http.ServerResponse, status: number): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status).end();
}

/** The headers of a request as the platform passes them on. */
export function platformHeaders({ headers, socket }: http.IncomingMessage): Record<string, string> {
  const { 'x-forwarded-for': proxies, host = '' } = headers;
  return {
    ...(forwarded(headers) as Record<string, string>),
    'x-forwarded-for': proxies ? `${proxies}, ${socket.remoteAddress}` : `${socket.remoteAddress}`,
    'x-forwarded-host': host,
    'x-forwarded-proto': 'http',
  };
}

/**
 * Sends a request on to the stream server of the worker and its response back; never a clean end for half of one.
 *
 * @param body - what has been read of the request already; left out, the request is streamed
 */
export function forward(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  target: http.RequestOptions,
  bodyLimit: number,
  body?: Buffer,
): void {
  // A connection of its own, for its body may be left half read. It asks to stay open, or the worker would cut an
  // upload off that it has answered early, and the answer would be lost.
  const headers = { ...target.headers, connection: 'keep-alive' };
  const upstream = http.request({
    ...target,
    headers,
    host: '127.0.0.1',
    method: request.method,
    agent: false,
  });
  upstream.setTimeout(240_000, () => upstream.destroy()); // Without a byte for so long, as in the host (YARP).
  upstream.once('error', () => endWith(response, 500));
  upstream.once('response', (answer) => {
    if (response.headersSent) return; // The request has been refused for its size.
    response.writeHead(answer.statusCode ?? 502, forwarded(answer.headers)).flushHeaders();
    pipeline(answer, response, () => undefined);
  });
  response.once('close', () => {
    upstream.destroy();
    // The rest of an upload nobody wanted is read, or the client could not read the answer.
    request.unpipe(upstream).resume();
  });
  if (body) return void upstream.end(body);
  let received = 0;
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > bodyLimit) endWith(response, 413);
  });
  request.pipe(upstream);
}
