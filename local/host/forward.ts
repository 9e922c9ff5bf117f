import * as http from 'node:http';
import { pipeline } from 'node:stream';

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

/** The headers of a request as the platform passes them on. */
export function platformHeaders({ headers, socket }: http.IncomingMessage): Record<string, string> {
  const { 'x-forwarded-for': proxies, host = '' } = headers;
  const addresses = `${proxies ? `${proxies}, ` : ''}${socket.remoteAddress}`;
  const origin = { 'x-forwarded-for': addresses, 'x-forwarded-host': host, 'x-forwarded-proto': 'http' };
  return { ...forwarded(headers), ...origin };
}

/** Streams a request to the stream server of the worker and its response back; never a clean end for half of one. */
export function forward(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { headers, ...target }: http.RequestOptions,
  bodyLimit: number,
  body: Buffer | undefined,
): void {
  // A connection of its own, for its body may be left half read. It asks to stay open, or the worker would cut an
  // upload off that it has answered early, and the answer would be lost.
  const ownConnection = { agent: false, headers: { ...headers, connection: 'keep-alive' } };
  const upstream = http.request({ ...target, ...ownConnection, host: '127.0.0.1', method: request.method });
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
