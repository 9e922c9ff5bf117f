import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../core/index.ts';
import type { Digest } from './gate.ts';

/**
 * Reads what the client announces of the content of a raw upload: `repr-digest: sha-256=:…:` (RFC 9530) or
 * `content-md5` (RFC 1864). The stronger one counts when both are there.
 *
 * @throws AppError `malformed_digest`
 */
export function announcedDigest(headers: IncomingHttpHeaders): Digest | undefined {
  const reprDigest = headers['repr-digest'];
  if (reprDigest !== undefined) return sha256Entry(reprDigest.toString());
  const md5 = headers['content-md5'];
  return md5 === undefined ? undefined : { algorithm: 'md5', value: decode(md5.toString(), 16) };
}

/** Reads a SHA-256 given as lower-case hex, as a form field carries it. */
export function hexDigest(hex: string | undefined): Digest | undefined {
  if (hex === undefined) return undefined;
  if (!/^[0-9a-f]{64}$/.test(hex)) throw malformed('sha256 is 64 lower-case hex digits');
  return { algorithm: 'sha256', value: Buffer.from(hex, 'hex') };
}

/** A header may list digests of several algorithms; unknown ones are ignored, as the standard says. */
function sha256Entry(header: string): Digest | undefined {
  const entries = header.split(',').map((entry) => entry.trim());
  if (entries.some((entry) => !/^[a-z*][a-z0-9_.*-]*=:[A-Za-z0-9+/]*={0,2}:$/.test(entry))) {
    throw malformed('repr-digest has the form sha-256=:<base64>:');
  }
  const sha256 = entries.find((entry) => entry.startsWith('sha-256=:'));
  return sha256 === undefined
    ? undefined
    : { algorithm: 'sha256', value: decode(sha256.slice('sha-256=:'.length, -1), 32) };
}

function decode(base64: string, sizeBytes: number): Buffer {
  const value = Buffer.from(base64, 'base64');
  if (value.length !== sizeBytes || value.toString('base64') !== base64) {
    throw malformed(`A digest of ${sizeBytes} bytes in base64 is expected`);
  }
  return value;
}

function malformed(detail: string): AppError {
  return new AppError('malformed_digest', detail);
}
