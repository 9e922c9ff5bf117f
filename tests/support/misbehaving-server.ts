import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SelfSigned } from './self-signed.ts';

interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface MisbehavingServer extends AsyncDisposable {
  readonly origin: string;
  readonly requests: readonly SeenRequest[];
  /**
   * Requests whose connection is still open and whose answer has not ended. Asking makes the server read on, or it
   * would not notice that a connection has gone.
   */
  readonly pending: number;
}

/** Answers in any way it likes; `number` counts requests from 1. Doing nothing leaves the request unanswered. */
export type Answer = (request: IncomingMessage, response: ServerResponse, number: number) => void;

/**
 * Starts a server on a free port that shows how a client bears bad treatment. Request bodies are not read unless
 * `answer` does.
 *
 * @param secure - makes it speak HTTPS
 */
export async function startMisbehavingServer(
  answer: Answer,
  secure?: SelfSigned,
): Promise<MisbehavingServer> {
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const pending = new Set<IncomingMessage>();
  const serve: RequestListener = (request, response) => {
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, headers });
    pending.add(request);
    response.once('close', () => pending.delete(request));
    answer(request, response, requests.length);
  };
  const server = secure
    ? createSecureServer({ key: secure.key, cert: secure.certificate }, serve)
    : createServer(serve);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    get pending() {
      for (const request of pending) request.resume();
      return pending.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
