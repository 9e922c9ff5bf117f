import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { forward } from '../../../local/host/forward.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A front whose worker answers as given, and which gives up after 100 ms without a byte. */
async function frontOf(worker: RequestListener): Promise<string> {
  const port = await listen(worker);
  const front = await listen((request, response) => {
    const options = { request, response, port, url: request.url ?? '', body: undefined, invocationId: 'id' };
    forward({ ...options, bodyLimitBytes: 1000, activityTimeoutMs: 100 });
  });
  return `http://127.0.0.1:${front}`;
}

it('gives a worker up that stays silent for too long', async () => {
  const url = await frontOf(() => undefined);

  expect((await fetch(url)).status).toBe(500);
});

it('breaks a response off that stays silent for too long', async () => {
  const url = await frontOf((_, response) => void response.write('half'));

  const response = await fetch(url);

  await expect(response.text()).rejects.toThrow('terminated');
});

it('lets a response take longer than that while bytes come', async () => {
  const url = await frontOf((_, response) => {
    let left = 5;
    const timer = setInterval(() => {
      response.write('.');
      if (--left > 0) return;
      clearInterval(timer);
      response.end();
    }, 40);
  });

  const response = await fetch(url);

  expect(await response.text()).toBe('.....');
});

it('answers 500 when there is no worker', async () => {
  const closed = await listen(() => undefined);
  servers.pop()?.close();
  const front = await listen((request, response) => {
    const options = { request, response, port: closed, url: '/', body: undefined, invocationId: 'id' };
    forward({ ...options, bodyLimitBytes: 1000 });
  });

  expect((await fetch(`http://127.0.0.1:${front}`)).status).toBe(500);
});
