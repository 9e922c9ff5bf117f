import type { IncomingHttpHeaders } from 'node:http';
import { AppError, parseHttpDate } from '../core/index.ts';

/** What a client already has, and which part it wants. */
export interface Representation {
  /** With its quotes; always strong here. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  readonly sizeBytes: number;
}

/** What to send of a representation (RFC 9110, sections 13 and 14). */
export type Selection =
  | { readonly kind: 'not-modified' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'range'; readonly offset: number; readonly count: number };

/**
 * Chooses by `If-None-Match`, `If-Modified-Since`, `Range` and `If-Range`. Several ranges and unknown units are answered
 * whole, as the standard allows; a range means something with GET only.
 *
 * @throws AppError `range_not_satisfiable`
 */
export function selectContent(
  method: string | undefined,
  headers: IncomingHttpHeaders,
  representation: Representation,
): Selection {
  if (isNotModified(headers, representation)) return { kind: 'not-modified' };
  const range = headers.range;
  if (
    method !== 'GET' ||
    range === undefined ||
    !rangeApplies(headers['if-range']?.toString(), representation)
  )
    return { kind: 'whole' };
  return selectRange(range, representation.sizeBytes);
}

/** `If-None-Match`, where it is given, decides alone. */
function isNotModified(headers: IncomingHttpHeaders, { etag, lastModified }: Representation): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) {
    return (
      noneMatch.trim() === '*' || noneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
    );
  }
  const since = headers['if-modified-since'];
  return (
    since !== undefined && wholeSeconds(lastModified) <= (parseHttpDate(since) ?? Number.NEGATIVE_INFINITY)
  );
}

function rangeApplies(ifRange: string | undefined, { etag, lastModified }: Representation): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.includes('"')) return ifRange.trim() === etag;
  return parseHttpDate(ifRange) === wholeSeconds(lastModified);
}

/** Dates in headers have no milliseconds. */
function wholeSeconds(epochMs: number): number {
  return Math.floor(epochMs / 1000) * 1000;
}

function selectRange(header: string, sizeBytes: number): Selection {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/i.exec(header.trim()) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return { kind: 'whole' };
  const suffix = first === '';
  const offset = suffix ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = suffix || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (!suffix && last !== '' && Number(last) < Number(first)) return { kind: 'whole' };
  if (offset >= sizeBytes || (suffix && Number(last) === 0)) {
    throw new AppError('range_not_satisfiable', `The content has ${sizeBytes} bytes`, {
      headers: { 'content-range': `bytes */${sizeBytes}` },
    });
  }
  return { kind: 'range', offset, count: end - offset + 1 };
}
