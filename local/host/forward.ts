import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';

interface Forwarding {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** A body that has been read already; otherwise the request is streamed. */
  readonly body: Buffer | undefined;
  readonly port: number;
  readonly url: string;
  readonly invocationId: string;
  readonly bodyLimitBytes: number;
  /** Without a byte in either direction for so long, the exchange is given up; 240 s as in the host (YARP). */
  readonly activityTimeoutMs?: number;
}

const notForwarded =
  /^(?:connection|expect|host|keep-alive|proxy-connection|te|transfer-encoding|upgrade|x-forwarded-(?:for|host|proto)|x-ms-invocation-id)$/i;

/**
 * Every request has a connection of its own, for its body may be left half read. It is asked to stay open, or the
 * worker would cut an upload off that it has answered early, and the answer would be lost.
 */
const agent = new Agent({ keepAlive: true, maxFreeSockets: 0 });

/** Answers with a status alone while that is possible; a response that has begun is broken off. */
export function endWith(response: ServerResponse, status: number): void {
  if (response.headersSent) return void response.destroy();
  response.statusCode = status;
  response.end();
}

/** The headers of a request as the platform passes them on. */
export function platformHeaders(request: IncomingMessage): Record<string, string[]> {
  const kept = Object.entries(request.headersDistinct).filter(([name]) => !notForwarded.test(name));
  const clients = [...(request.headersDistinct['x-forwarded-for'] ?? []), request.socket.remoteAddress];
  return {
    ...Object.fromEntries(kept.map(([name, values]) => [name, values ?? []])),
    'x-forwarded-for': [clients.join(', ')],
    'x-forwarded-host': [request.headers.host ?? ''],
    'x-forwarded-proto': ['http'],
  };
}

/** Sends a request on to the stream server of the worker and its response back; never a clean end for half of one. */
export function forward(options: Forwarding): void {
  const { request, response, body, port, bodyLimitBytes } = options;
  const upstream = httpRequest({
    agent,
    host: '127.0.0.1',
    port,
    method: request.method,
    path: options.url,
    headers: { ...platformHeaders(request), 'x-ms-invocation-id': options.invocationId },
    timeout: options.activityTimeoutMs ?? 240_000,
  });
  upstream.once('timeout', () => upstream.destroy(new Error('timeout')));
  upstream.once('error', () => endWith(response, 500));
  upstream.once('response', (answer) => {
    const kept = [];
    for (let i = 0; i < answer.rawHeaders.length; i += 2)
      if (!notForwarded.test(answer.rawHeaders[i] ?? '')) kept.push(...answer.rawHeaders.slice(i, i + 2));
    response.writeHead(answer.statusCode ?? 502, kept).flushHeaders();
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
    if (received > bodyLimitBytes) endWith(response, 413);
  });
  request.pipe(upstream);
}
