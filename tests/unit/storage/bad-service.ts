import { type Clock, systemClock } from '../../../src/lib/core/index.ts';
import {
  createResilience,
  type ResilienceEvent,
  type ResilienceSettings,
} from '../../../src/lib/resilience/index.ts';
import { createAzureIdentity } from '../../../src/lib/security/index.ts';
import { createStorage } from '../../../src/lib/storage/index.ts';
import { type Answer, startMisbehavingServer } from '../../support/misbehaving-server.ts';

/** Real time, but no waits before retries. */
export const impatientClock: Clock = { ...systemClock, random: () => 0 };

interface BadServiceOptions {
  readonly settings?: Partial<ResilienceSettings>;
  readonly correlationId?: string;
  readonly clock?: Clock;
}

/** A storage whose whole account lives on a server that behaves as told. */
export async function openBadService(
  answer: Answer,
  { settings = {}, correlationId, clock = impatientClock }: BadServiceOptions = {},
) {
  const server = await startMisbehavingServer(answer);
  const events: ResilienceEvent[] = [];
  const resilience = createResilience({
    clock,
    settings,
    onEvent: (event) => events.push(event),
  });
  const endpoint = `${server.origin}/account`;
  const openAccount = () =>
    createStorage({
      connection: {
        kind: 'account-key',
        account: { blob: endpoint, queue: endpoint, table: endpoint },
        accountKey: Buffer.from('not a real key').toString('base64'),
      },
      identity: createAzureIdentity(undefined),
      resilience,
      clock,
      correlationId: () => correlationId,
    });
  const storage = openAccount();
  return {
    storage,
    /** Opens another account there, under the same policies. */
    openAccount,
    server,
    events,
    resilience,
    blobs: storage.blobs('photos'),
    table: storage.table('rows'),
    queue: storage.queue('jobs'),
    locks: storage.locks('locks'),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A refusal as Blob Storage words it. */
export function refuse(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return (request, response) => {
    request.resume();
    response.writeHead(status, { 'x-ms-error-code': code, 'content-type': 'application/xml', ...headers });
    const isHead = request.method === 'HEAD';
    response.end(
      isHead ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
    );
  };
}

/** Takes whatever is written, as a service that works. */
export const accept: Answer = (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(201, { etag: '"0x1"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }).end();
  });
};

/** Waits until a condition holds; the test's time limit bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
