import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { AppError, isAppError, lazy } from '../core/index.ts';
import { withClientSpan } from '../observability/index.ts';
import type { Dependency, Resilience } from '../resilience/index.ts';
import { openAgent } from './agent.ts';
import { createDestinations } from './destinations.ts';
import { OutboundError } from './errors.ts';
import { exchange, type OutboundAnswer } from './exchange.ts';

/** Longest time for one try: who takes a notification answers within a second or two. */
const defaultTimeoutMs = 10_000;
const defaultMaxAnswerBytes = 2 ** 20;
/** Whatever is larger is uploaded somewhere, and a link to it sent. */
const maxRequestBytes = 2 ** 20;

export interface OutboundRequest {
  /** Default `GET`. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `host` is always that of the URL: it also names the server to TLS. */
  readonly headers?: Readonly<Record<string, string>>;
  /** At most 1 MiB. */
  readonly body?: string | Uint8Array;
  /** The caller's deadline, retries and their waits included. */
  readonly signal: AbortSignal;
  /** Longest time for one try, from the connection to the last byte; default 10 s. */
  readonly timeoutMs?: number;
  /** Largest body of the answer, compressed or not; default 1 MiB. */
  readonly maxAnswerBytes?: number;
  /**
   * Whether doing it twice does no harm. Default: what HTTP says of the method (RFC 9110 §9.2.2), and true with a header
   * `idempotency-key`.
   */
  readonly repeatable?: boolean;
}

/** Calls to hosts of others: notifications, imports. Every such call goes through here. */
export interface Outbound {
  /**
   * Calls a host, under its policy. Whatever is answered below 500 is given back, redirects
   * too, which are never followed; all but 408, 425 and 429.
   *
   * @throws AppError `unavailable` when the host stays out of reach or overloaded, `upstream` when it does not work or its
   *   answer is too large; {@link OutboundError} `destination_refused` when it may not be called, `request_too_large`
   */
  fetch(url: string, request: OutboundRequest): Promise<OutboundAnswer>;
  /**
   * Says what speaks against calling a URL, in words for whoever gave it; `undefined` when nothing does. For schemas of
   * requests: `fetch` asks again, and so does each connection, about the addresses the name has then.
   */
  checkDestination(url: string): string | undefined;
  /** Waits for the calls under way and closes all connections; for the end of the process. */
  close(): Promise<void>;
}

interface OutboundOptions {
  readonly resilience: Resilience;
  /** `hooks.example.com`, `*.example.com` for what lies below, `hooks.example.com:8443`; all others are refused. */
  readonly allowedHosts: readonly string[];
  /** Lets calls go to this machine, without TLS too: for tests. Default false. */
  readonly allowLoopback?: boolean;
  /** Under whose policy calls are made, where all go to one place; default: each host has one for itself, `webhook:<host>`. */
  readonly dependency?: Dependency;
  /** Headers that say on whose behalf a call is made, as `x-correlation-id`; asked at every call. */
  readonly propagate: () => Readonly<Record<string, string>>;
  /** The network as it is seen; default: the system's. */
  readonly network?: {
    readonly lookup?: LookupFunction;
    /** Certificate authorities, as PEM. */
    readonly ca?: string;
  };
}

/**
 * Makes the client for calls to hosts of others. No connection is opened before it is needed.
 *
 * @throws Error for an entry of `allowedHosts` that is no host
 */
export function createOutbound(options: OutboundOptions): Outbound {
  const { resilience, dependency, allowedHosts, allowLoopback = false, propagate, network = {} } = options;
  const destinations = createDestinations({ allowedHosts, allowLoopback });
  const lookup = destinations.guard(network.lookup ?? systemLookup);
  const agent = lazy(() => openAgent({ lookup, ca: network.ca }));

  return {
    checkDestination: destinations.faultOf,
    async fetch(address, request) {
      const fault = destinations.faultOf(address);
      if (fault !== undefined) throw new OutboundError('destination_refused', `The address ${fault}`);
      const { method = 'GET', body, signal, timeoutMs = defaultTimeoutMs } = request;
      if (body !== undefined && Buffer.byteLength(body) > maxRequestBytes)
        throw new OutboundError('request_too_large', `The body is larger than ${maxRequestBytes} bytes`);
      const url = new URL(address);
      const headers = { ...withoutHost(request.headers), 'accept-encoding': 'identity' };
      const { repeatable = isIdempotent(method) || 'idempotency-key' in headers } = request;
      const { maxAnswerBytes = defaultMaxAnswerBytes } = request;
      /** A span for each try, by the conventions for HTTP but without the URL: the path of a webhook is its secret. */
      const tryOnce = (trySignal: AbortSignal) => {
        const attributes = {
          'http.request.method': method,
          'server.address': url.hostname,
          'server.port': Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
        };
        return withClientSpan(method, attributes, async (span) => {
          const outgoing = { url, method, headers: { ...headers, ...propagate() }, body, maxAnswerBytes };
          try {
            const answer = await exchange(await agent(), outgoing, trySignal);
            span.note({ 'http.response.status_code': answer.status });
            return answer;
          } catch (error) {
            if (error instanceof OutboundError) span.note({ 'http.response.status_code': error.statusCode });
            throw error;
          }
        });
      };
      try {
        return await resilience.run(dependency ?? `webhook:${url.host}`, method, tryOnce, {
          signal,
          repeatable,
          timeoutMs,
        });
      } catch (error) {
        throw signal.aborted ? error : translate(error);
      }
    },
    async close() {
      const opened = await agent.peek();
      if (opened && !opened.closed) await opened.close();
    },
  };
}

/** Names in lower case. */
function withoutHost(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(named.filter(([name]) => name !== 'host'));
}

function isIdempotent(method: string): boolean {
  return ['GET', 'HEAD', 'PUT', 'DELETE'].includes(method);
}

/** Our own mistakes: undici calls them by these names. */
const ownMistakes = ['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_CLOSED', 'UND_ERR_DESTROYED'];

/** What callers see of a failure that another try does not mend. Whatever says nothing of the host stays as it is. */
function translate(error: unknown): unknown {
  if (isAppError(error) || !(error instanceof Error) || !('code' in error)) return error;
  const { code } = error;
  if (typeof code !== 'string' || code === 'destination_refused' || ownMistakes.includes(code)) return error;
  return new AppError('upstream', 'The host that was called has not answered as it should', { cause: error });
}
