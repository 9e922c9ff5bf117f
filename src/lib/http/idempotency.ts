import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../core/index.ts';
import type { Caller } from '../security/index.ts';
import { type Answer, json } from './answer.ts';
import type { Endpoint, RequestKey } from './endpoint.ts';

/**
 * Reads `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) where the endpoint heeds it. The draft has the key in
 * quotes, most clients send it bare; it is compared as it came.
 *
 * @throws AppError `malformed_request` for anything but 1 to 255 visible ASCII characters
 */
export function readRequestKey(
  { method, route, idempotent }: Endpoint,
  caller: Caller | undefined,
  headers: IncomingHttpHeaders,
): RequestKey | undefined {
  const key = headers['idempotency-key'];
  if (idempotent !== true || key === undefined || caller === undefined) return undefined;
  // A header that came twice has become one with a space in it.
  if (typeof key !== 'string' || !/^[!-~]{1,255}$/.test(key))
    throw new AppError('malformed_request', 'idempotency-key must be 1 to 255 visible ASCII characters');
  return { caller: caller.id, route: `${method} /${route}`, key };
}

/**
 * Adds to a key what the request asks for, so that another request under the same key is noticed. Not the bytes as they
 * came count but what they mean: two forms with another boundary, or JSON in another order, ask for the same.
 *
 * @param payload - anything JSON can say
 */
export function keyedRequest(
  key: RequestKey | undefined,
  payload: unknown,
): (RequestKey & { readonly fingerprint: Buffer }) | undefined {
  if (!key) return undefined;
  return { ...key, fingerprint: createHash('sha256').update(JSON.stringify(payload, inOrder)).digest() };
}

/** For `JSON.stringify`: objects with their names in order. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** An answer that was recorded, and whether that was now. */
interface Recorded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly replayed: boolean;
}

/** Sends what was recorded; an answer from before says so. */
export function recordedAnswer({ status, headers, body, replayed }: Recorded): Answer {
  return json(status, body, replayed ? { ...headers, 'idempotency-replayed': 'true' } : headers);
}
