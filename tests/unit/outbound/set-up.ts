import type { LookupFunction } from 'node:net';
import { type Clock, systemClock } from '../../../src/lib/core/index.ts';
import { connectionsPerHost, createOutbound, type Outbound } from '../../../src/lib/outbound/index.ts';
import {
  createResilience,
  type Dependency,
  type ResilienceEvent,
  type ResilienceSettings,
} from '../../../src/lib/resilience/index.ts';
import { type Answer, startMisbehavingServer } from '../../support/misbehaving-server.ts';
import { makeSelfSigned } from '../../support/self-signed.ts';

/** A signal that never aborts. */
export const { signal } = new AbortController();

/** Real time, but no waits before retries. */
const impatientClock: Clock = { ...systemClock, random: () => 0 };

/** The name that `localLookup` knows; the certificate of a secure server is for it too. */
export const localName = 'receiver.example';

interface SetUp {
  readonly allowedHosts: readonly string[];
  readonly settings?: Partial<ResilienceSettings>;
  readonly dependency?: Dependency;
  readonly allowLoopback?: boolean;
  readonly propagate?: () => Record<string, string>;
  readonly lookup?: LookupFunction;
  readonly ca?: string;
}

/** An outbound client under policies of its own, with what they tell. */
export function openOutbound({ allowedHosts, settings, allowLoopback = true, lookup, ca, ...ports }: SetUp) {
  const events: ResilienceEvent[] = [];
  const resilience = createResilience({
    clock: impatientClock,
    ...(settings && { settings }),
    bulkheadSizes: { webhook: connectionsPerHost },
    onEvent: (event) => events.push(event),
  });
  const outbound: Outbound = createOutbound({
    resilience,
    allowedHosts,
    allowLoopback,
    ...(ports.dependency && { dependency: ports.dependency }),
    propagate: ports.propagate ?? (() => ({})),
    network: { ...(lookup && { lookup }), ...(ca !== undefined && { ca }) },
  });
  return { outbound, events, resilience, [Symbol.asyncDispose]: () => outbound.close() };
}

/** A server on this machine that behaves as told, and a client that may call it. */
export async function openServer(
  answer: Answer,
  { secure = false, ...setUp }: Partial<SetUp> & { readonly secure?: boolean } = {},
) {
  const identity = secure ? makeSelfSigned(localName) : undefined;
  const server = await startMisbehavingServer(answer, identity);
  const { host, port } = new URL(server.origin);
  const client = openOutbound({
    allowedHosts: [host, `${localName}:${port}`],
    ...(identity && { ca: identity.certificate }),
    ...setUp,
  });
  return {
    ...client,
    server,
    url: `${server.origin}/path?token=geheim`,
    namedUrl: `https://${localName}:${port}/`,
    async [Symbol.asyncDispose]() {
      // First: a client that waits for a silent server would wait for ever.
      await server[Symbol.asyncDispose]();
      await client.outbound.close();
    },
  };
}

/** A lookup that answers with the given addresses, one list after the other, and then with the last. */
export function scriptedLookup(...answers: (readonly string[])[]): {
  lookup: LookupFunction;
  asked: string[];
} {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _, callback) => {
    asked.push(hostname);
    const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, asked };
}

/** What a promise rejects with. */
export const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ unexpected: value }),
    (error: unknown) => error,
  );
