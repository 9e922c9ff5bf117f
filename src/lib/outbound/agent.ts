import type { LookupFunction } from 'node:net';
import type { Agent } from 'undici';

/**
 * Calls to one host that run at a time, each on a connection of its own. Ten, as for our own services, would make thirty
 * calls that start together wait for one another, and a call that waits costs a socket and no more. What a host cannot
 * take it says itself, with 429 or 503.
 */
export const connectionsPerHost = 64;

interface AgentOptions {
  readonly lookup: LookupFunction;
  /** Certificate authorities, as PEM, in place of those that Node.js trusts. */
  readonly ca: string | undefined;
}

/** Makes the pool of connections. undici is loaded here: 1.3 MB, 50 ms or more that a cold start can do without. */
export async function openAgent({ lookup, ca }: AgentOptions): Promise<Agent> {
  // Of a CommonJS package the bundle has the default only.
  const { default: undici } = await import('undici');
  return new undici.Agent({
    connections: connectionsPerHost,
    // On HTTP/2 all calls to a host would share one connection, and its fate.
    allowH2: false,
    connect: {
      lookup,
      ...(ca !== undefined && { ca }),
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
      rejectUnauthorized: true,
      // As for every other connection of ours.
      timeout: 5_000,
      // Asks for all addresses of a name, so that all are checked.
      autoSelectFamily: true,
    },
    // An unused connection is closed before most hosts would; one they close meets the next request midway.
    keepAliveTimeout: 4_000,
    // A host may ask for more, within reason.
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 16_384,
    // One clock decides how long a try may take, and it stands outside.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
