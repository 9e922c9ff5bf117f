import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Stands between client and server on 127.0.0.1 and changes what the server sends; it goes away with the test. */
export async function startRewritingProxy(serverPort: number, rewrite: (bytes: Buffer) => Buffer) {
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const proxy = createServer((client) => {
    const server = track(connect(serverPort, '127.0.0.1'));
    track(client).pipe(server);
    server.on('data', (bytes) => {
      if (!client.write(rewrite(bytes))) server.pause();
    });
    client.on('drain', () => server.resume());
    server.once('close', () => client.destroy());
    client.once('close', () => server.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    cut();
    proxy.close();
  });
  const address = proxy.address();
  return { port: typeof address === 'object' && address ? address.port : 0, cut };
}
