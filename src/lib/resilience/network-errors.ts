import type { Verdict } from './verdict.ts';

/**
 * Codes of node:net, node:dns and node:tls, of undici, and of our rooms `security` and `outbound`. Where no connection came
 * about, nothing can have been done; once there was one, nobody knows. `socket hang up` of node:http has the code ECONNRESET.
 * Source: nodejs.org/api/errors.html, "Common system errors"; undici's docs/docs/api/Errors.md.
 */
export const networkCodes: ReadonlyMap<string, Verdict> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['EHOSTDOWN', 'refused'],
  ['EHOSTUNREACH', 'refused'],
  ['ENETDOWN', 'refused'],
  ['ENETUNREACH', 'refused'],
  ['ENOTFOUND', 'refused'],
  ['EAI_AGAIN', 'refused'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'refused'],
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
  // Certificates: it answers the same until somebody puts it right.
  ['CERT_HAS_EXPIRED', 'broken'],
  ['CERT_NOT_YET_VALID', 'broken'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'broken'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'broken'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'broken'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'broken'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'broken'],
  // No common version or cipher, or no TLS at all: what node:https makes of OpenSSL's complaint where `fetch` has its code.
  ['EPROTO', 'broken'],
  // A fault of our own making, before anything was sent.
  ['injected_fault', 'refused'],
  // Without a token the service is as far away as without a network.
  ['identity_unavailable', 'refused'],
  ['identity_refused', 'broken'],
]);

/** OpenSSL's complaints, some hundred: the rest of the code is its reason. Source: nodejs.org/api/errors.html, "OpenSSL errors". */
const openSslCode = /^ERR_SSL_/;

/** Reads what kept a request from the service; `undefined` when the code is none of those. */
export function judgeNetworkCode(code: string): Verdict | undefined {
  return networkCodes.get(code) ?? (openSslCode.test(code) ? 'broken' : undefined);
}
