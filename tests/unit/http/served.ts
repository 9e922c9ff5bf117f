import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpResponseInit } from '@azure/functions';
import { createLifecycle } from '../../../src/lib/core/index.ts';
import type { Limits } from '../../../src/lib/http/admission.ts';
import type { Endpoint } from '../../../src/lib/http/endpoint.ts';
import { createEdge, watchRawRequests } from '../../../src/lib/http/index.ts';
import { createLogger, createMetrics, type Metrics } from '../../../src/lib/observability/index.ts';
import type { Authenticate } from '../../../src/lib/security/index.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';

type Line = Readonly<Record<string, unknown>>;

interface Served extends AsyncDisposable {
  readonly clock: FakeClock;
  /** Endpoint and scope of what was refused to a known caller. */
  readonly refusals: readonly string[];
  /** What was logged, parsed. */
  lines(): Line[];
  /** Sends one request and reads its answer; a header of no value is not sent. */
  ask(options?: RequestOptions, body?: string | Buffer): Promise<Asked>;
  /** Sends one request, to do with it what no client library does. */
  send(options?: RequestOptions): ReturnType<typeof request>;
}

interface Asked {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The connection ended before the answer did. */
  readonly broken: boolean;
}

interface Options {
  readonly isProduction?: boolean;
  readonly authenticate?: Authenticate;
  readonly corsOrigins?: readonly string[];
  readonly ready?: () => Promise<void>;
  readonly trustedProxyHops?: number;
  /** Left out: nobody is limited. */
  readonly limits?: (clock: FakeClock, metrics: Metrics) => Limits;
  /** Requests are not handed to the edge, as when the message of the platform does not come. */
  readonly loseInvocations?: boolean;
}

/**
 * Serves one endpoint through the edge over real connections, as the library of the platform does in stream mode: the exchange is
 * known by the id of its invocation, and chunks are written without looking at backpressure.
 */
export async function serve(endpoint: Endpoint, options: Options = {}): Promise<Served> {
  const clock = fakeClock();
  const lines: string[] = [];
  const refusals: string[] = [];
  const logger = createLogger({ clock, level: 'info', write: (line) => lines.push(line) });
  const metrics = createMetrics('i1');
  const rawRequests = watchRawRequests(clock);
  const edge = createEdge({
    clock,
    logger,
    metrics,
    lifecycle: createLifecycle({ clock, logger }),
    rawRequests,
    ready: options.ready ?? (async () => {}),
    authenticate: options.authenticate ?? (() => Promise.reject(new Error('nobody is asked'))),
    isScraper: (authorization) => authorization === 'Bearer scraper',
    isProduction: options.isProduction ?? false,
    corsOrigins: options.corsOrigins ?? [],
    trustedProxyHops: options.trustedProxyHops ?? 1,
    limits: options.limits?.(clock, metrics),
    noteRefusal: async (...refused) => void refusals.push(refused.join(' ')),
  });
  const server = createServer((incoming, response) => {
    if (options.loseInvocations) return;
    const invocation = {
      invocationId: String(incoming.headers['x-ms-invocation-id']),
      functionName: endpoint.name,
      writeLog: (_level: string, line: string) => lines.push(line),
    };
    const answer =
      incoming.method === 'OPTIONS'
        ? edge.preflight(endpoint.route, ['GET', 'OPTIONS'], invocation)
        : edge.serve(endpoint, invocation);
    void answer.then((init) => write(init, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const send = ({ headers, ...rest }: RequestOptions = {}) => {
    const all: Record<string, string> = {
      'x-ms-invocation-id': randomUUID(),
      ...(headers as Record<string, string>),
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
    return request({ port, host: '127.0.0.1', path: '/', agent: false, headers: given, ...rest });
  };
  return {
    clock,
    refusals,
    lines: () => lines.map((line) => JSON.parse(line)),
    send,
    ask: (rest, body) => read(send(rest), body),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rawRequests[Symbol.dispose]();
    },
  };
}

async function write({ status, headers, body }: HttpResponseInit, response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  response.writeHead(status ?? 200, headers as Record<string, string>);
  try {
    if (body instanceof ReadableStream) for await (const chunk of body) response.write(chunk);
    response.end(Buffer.isBuffer(body) ? body : undefined);
  } catch {
    // The library leaves the connection open; whoever broke the body off has to close it.
  }
}

function read(sent: ReturnType<typeof request>, body?: string | Buffer): Promise<Asked> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => {});
      response.on('close', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
          broken: !response.complete,
        }),
      );
    });
    sent.end(body);
  });
}
