import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { DatabaseAddress } from '../../database/index.ts';
import { DumpError } from './dump-error.ts';

/** Length and code of the SSLRequest message, protocol "Message Formats". */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const sslAccepted = 0x53;
/** Probes begin after this much silence, so that a server that has vanished ends the dump. */
const keepAliveAfterMs = 30_000;

/**
 * Connects to the server, with TLS where the connection asks for it.
 *
 * @throws DumpError `connect_failed`; the signal's reason when it aborts
 */
export async function openServerSocket(connection: DatabaseAddress, signal: AbortSignal): Promise<Socket> {
  const { host, port } = connection;
  signal.throwIfAborted();
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveAfterMs,
  });
  try {
    await once(socket, 'connect', { signal });
    if (!connection.tls) return socket;
    await requestTls(socket, signal);
    const secure = connectTls({
      socket,
      // `host` is what the certificate must name; SNI knows no addresses.
      host,
      ...(isIP(host) ? {} : { servername: host }),
      ...connection.tls,
    });
    await once(secure, 'secureConnect', { signal });
    return secure;
  } catch (error) {
    socket.destroy();
    if (signal.aborted) throw signal.reason;
    if (error instanceof DumpError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DumpError('connect_failed', `No connection to ${host}:${port}: ${reason}`, { cause: error });
  }
}

async function requestTls(socket: Socket, signal: AbortSignal): Promise<void> {
  socket.write(sslRequest);
  const [answer]: Buffer[] = await Promise.race([
    once(socket, 'data', { signal }),
    once(socket, 'end', { signal }).then(() => [Buffer.alloc(0)]),
  ]);
  // Anything behind the one byte was not sent by the server under TLS: somebody put it there (CVE-2021-23222).
  if (answer?.length !== 1 || answer[0] !== sslAccepted) {
    throw new DumpError('connect_failed', 'The server does not offer TLS');
  }
}
