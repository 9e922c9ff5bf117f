import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** Opens a plain connection to a host, for requests that fetch would not send. */
export function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname);
}

/** Sends a request that ends its connection and resolves with the whole answer. */
export function exchange(url: string, requestText: string): Promise<string> {
  const socket = open(url);
  socket.write(requestText);
  return text(socket);
}
