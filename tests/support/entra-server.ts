import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { connect as connectTls, TLSSocket } from 'node:tls';

/** A PostgreSQL that knows identities of Microsoft Entra, as the servers of Azure do. */
export interface EntraServer {
  readonly port: number;
  stop(): Promise<void>;
}

interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST */
const askForTls = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Stands before a PostgreSQL, over TLS on both sides. Only Azure loads `pgaadauth`, which keeps in a label of a role whose
 * identity it is for: the statement that sets the label sets the comment of the role instead. All else passes as it is.
 */
export async function startEntraServer(behind: number, certificate: Certificate): Promise<EntraServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // Who hangs up in the middle, as one does who only looks whether somebody listens, is no fault of ours.
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    serve(socket, behind, certificate).catch(() => socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

async function serve(socket: Socket, behind: number, { key, certificate }: Certificate): Promise<void> {
  const [asked] = await once(socket, 'data');
  if (!askForTls.equals(asked)) throw new Error('no TLS was asked for');
  socket.pause();
  const upstream = connect(behind, '127.0.0.1').on('error', () => socket.destroy());
  socket.once('close', () => upstream.destroy());
  upstream.write(askForTls);
  await once(upstream, 'data');
  const server = connectTls({ socket: upstream, ca: certificate, host: '127.0.0.1' });
  await once(server, 'secureConnect');
  const client = new TLSSocket(socket, { isServer: true, key, cert: certificate });
  for (const one of [client, server]) one.on('error', () => socket.destroy());
  client.pipe(labelsAsComments()).pipe(server);
  server.pipe(client);
  socket.write('S');
}

/** Takes apart what a client sends: one message without a type, then messages of a type, a length and the rest. */
function labelsAsComments(): Transform {
  let pending = Buffer.alloc(0);
  let typeBytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= typeBytes + 4) {
        const end = typeBytes + pending.readInt32BE(typeBytes);
        if (pending.length < end) break;
        const message = pending.subarray(0, end);
        this.push(typeBytes === 1 && message[0] === 0x51 ? rewriteQuery(message) : message);
        pending = pending.subarray(end);
        typeBytes = 1;
      }
      done();
    },
  });
}

function rewriteQuery(message: Buffer): Buffer {
  const text = message.toString('utf8', 5, message.length - 1);
  const changed = text.replace(/^security label for "pgaadauth" on role/, 'comment on role');
  if (changed === text) return message;
  const body = Buffer.from(`${changed}\0`);
  const head = Buffer.from([0x51, 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
