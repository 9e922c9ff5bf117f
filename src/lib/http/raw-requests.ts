import diagnostics from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock } from '../core/index.ts';
import { securityHeaders } from './security-headers.ts';

/** The request and response of an invocation as Node sees them on the wire. */
export interface RawExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Gives out the raw exchange of an invocation. */
export interface RawRequests {
  /** Takes the exchange; `undefined` when the client has already gone. */
  claim(invocationId: string): RawExchange | undefined;
}

const invocationIdHeader = 'x-ms-invocation-id';
/** Far above the time between the host's forward and its invocation message, far below its own 240 s. */
const unclaimedAfterMs = 30_000;
/**
 * More than the platform lets through: 8 KiB of address and 32 KiB of headers, and what it adds. Node.js itself would answer
 * 431 beyond 16 KiB, and the invocation that belongs to the request would wait for it until the platform restarts the worker
 * (`functionTimeout`), with all that goes on in it.
 */
const maxHeaderBytes = 64 * 1024;

/**
 * Watches the server that `@azure/functions` runs in stream mode.
 *
 * Headers and route parameters of its `HttpRequest` come from trigger metadata, which the host mixes with the
 * query string and the JSON body: a client can erase or forge them (`?Headers={…}`). The message on the wire cannot
 * be forged that way. It also is the only place where a client's disconnect and backpressure can be seen.
 *
 * An exchange that no invocation claims would be left open for the host's whole 240 s; it is answered here.
 *
 * It hears of every server of the process until it is disposed of. The app never does, there is one as long as it lives.
 */
export function watchRawRequests(clock: Clock): RawRequests & Disposable {
  const exchanges = new Map<string, RawExchange & { readonly cancelWatch: () => void }>();
  const onRequest = (message: unknown) => {
    const { request, response } = message as RawExchange;
    const id = request.headers[invocationIdHeader];
    if (typeof id !== 'string') return;
    const cancelWatch = clock.after(unclaimedAfterMs, () => answerUnclaimed(response));
    exchanges.set(id, { request, response, cancelWatch });
    response.once('close', () => {
      cancelWatch();
      // Another request may have come under the same id.
      if (exchanges.get(id)?.response === response) exchanges.delete(id);
    });
  };
  diagnostics.subscribe('tracing:net.server.listen:asyncStart', raiseHeaderLimit);
  diagnostics.subscribe('http.server.request.start', onRequest);
  return {
    claim(invocationId) {
      const exchange = exchanges.get(invocationId);
      exchange?.cancelWatch();
      return exchange;
    },
    [Symbol.dispose]() {
      diagnostics.unsubscribe('tracing:net.server.listen:asyncStart', raiseHeaderLimit);
      diagnostics.unsubscribe('http.server.request.start', onRequest);
    },
  };
}

/** What `createServer` is given as an option is looked at anew for each connection. */
function raiseHeaderLimit(message: unknown): void {
  (message as { server: Server & { maxHeaderSize?: number } }).server.maxHeaderSize = maxHeaderBytes;
}

function answerUnclaimed(response: ServerResponse): void {
  response.writeHead(503, { ...securityHeaders, 'retry-after': '5', 'content-length': '0' });
  response.end();
}
