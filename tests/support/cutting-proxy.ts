import { once } from 'node:events';
import net from 'node:net';

/** Where a connection to PostgreSQL is cut. */
export interface Cut {
  /** Which statement of all that come, from 1. */
  readonly statement: number;
  /** `before` it reaches the server, or `after` the server has carried it out but before its answer is back. */
  readonly when: 'before' | 'after';
  /** Nothing gets through any more, as if the process had died. Otherwise new connections do. */
  readonly forGood: boolean;
}

export interface CuttingProxy extends AsyncDisposable {
  /** The address of the database, through the proxy. */
  readonly url: string;
  /** What has come through so far. */
  readonly statements: readonly string[];
  readonly hasCut: boolean;
}

/** A proxy in front of PostgreSQL that cuts the connection at one statement; left out, at none. */
export async function startCuttingProxy(databaseUrl: string, cut?: Cut): Promise<CuttingProxy> {
  const target = new URL(databaseUrl);
  const statements: string[] = [];
  const sockets = new Set<net.Socket>();
  let hasCut = false;

  const server = net.createServer((client) => {
    if (hasCut && cut?.forGood) {
      client.destroy();
      return;
    }
    const upstream = net.connect(Number(target.port), target.hostname);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    let swallows = false;
    // What a client says first has no type.
    const fromClient = messageReader(false, (type, body) => {
      if (type !== 'P' && type !== 'Q') return;
      statements.push(textOf(type, body));
      if (statements.length !== cut?.statement) return;
      hasCut = true;
      if (cut.when === 'before') end();
      else swallows = true;
    });
    const fromServer = messageReader(true, (type) => {
      if (swallows && type === 'Z') end();
    });
    client.on('data', (chunk) => {
      fromClient(chunk);
      if (!upstream.destroyed) upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      fromServer(chunk);
      if (!swallows) client.write(chunk);
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', end);
      sockets.add(socket);
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as net.AddressInfo).port);
  return {
    url: url.href,
    statements,
    get hasCut() {
      return hasCut;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Cuts a stream of the PostgreSQL protocol into messages: a type, the length with its own four bytes, a body. */
function messageReader(isTyped: boolean, onMessage: (type: string, body: Buffer) => void) {
  let buffer = Buffer.alloc(0);
  let typeLength = isTyped ? 1 : 0;
  return (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= typeLength + 4) {
      const length = typeLength + buffer.readInt32BE(typeLength);
      if (buffer.length < length) return;
      const type = buffer.toString('latin1', 0, typeLength);
      const body = buffer.subarray(typeLength + 4, length);
      buffer = buffer.subarray(length);
      typeLength = 1;
      onMessage(type, body);
    }
  };
}

/** A simple query is a text; the first step of an extended one is a name and a text. */
function textOf(type: 'P' | 'Q', body: Buffer): string {
  const texts = body.toString('utf8').split('\0');
  return (type === 'Q' ? texts[0] : texts[1]) ?? '';
}
