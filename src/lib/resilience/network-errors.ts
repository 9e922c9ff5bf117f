import type { Verdict } from './verdict.ts';

/**
 * Codes of node:net, node:dns and node:tls, of undici, and of our rooms `security` and `outbound`. Where no connection came
 * about, nothing can have been done; once there was one, nobody knows. `socket hang up` of node:http has the code ECONNRESET.
 * Source: nodejs.org/api/errors.html, "Common system errors"; undici's docs/docs/api/Errors.md.
 */
const verdicts: ReadonlyMap<string, Verdict> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['EHOSTDOWN', 'refused'],
  ['EHOSTUNREACH', 'refused'],
  ['ENETUNREACH', 'refused'],
  ['ENOTFOUND', 'refused'],
  ['EAI_AGAIN', 'refused'],
  ['ECONNRESET', 'lost'],
  ['ECONNABORTED', 'lost'],
  ['EPIPE', 'lost'],
  ['ETIMEDOUT', 'lost'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'lost'],
  ['UND_ERR_CONNECT_TIMEOUT', 'refused'],
  ['UND_ERR_SOCKET', 'lost'],
  ['UND_ERR_HEADERS_TIMEOUT', 'lost'],
  ['UND_ERR_BODY_TIMEOUT', 'lost'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'lost'],
  // More headers than anybody reads: it will answer the same again.
  ['UND_ERR_HEADERS_OVERFLOW', 'broken'],
  ['answer_malformed', 'broken'],
  ['CERT_HAS_EXPIRED', 'broken'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'broken'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'broken'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'broken'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'broken'],
  // Without a token the service is as far away as without a network.
  ['identity_unavailable', 'refused'],
  ['identity_refused', 'broken'],
]);

/** Reads what kept a request from the service; `undefined` when the code is none of those. */
export function judgeNetworkCode(code: string): Verdict | undefined {
  return verdicts.get(code);
}

/** A property of whatever was thrown. */
export function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

/** A text property of whatever was thrown; `code` of a DOMException, for one, is a number. */
export function textOf(error: unknown, name: string): string {
  const value = fieldOf(error, name);
  return typeof value === 'string' ? value : '';
}
