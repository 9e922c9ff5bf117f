import net from 'node:net';
import { inject } from 'vitest';

/** Sends the shared app a request that no client library would, and reads what comes first. Rejects when nothing comes for 10 s. */
export function rawRequest(text: string): Promise<string> {
  const { hostname, port } = new URL(inject('baseUrl'));
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(text));
    let answer = '';
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      answer += chunk;
      socket.end();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
