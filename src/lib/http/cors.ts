import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, type AnswerHeaders, empty } from './answer.ts';

const exposedHeaders =
  'accept-ranges, content-disposition, content-length, content-range, etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after, x-correlation-id, x-report-generated-at, x-report-snapshot';
const preflightSeconds = 600;

/** CORS headers of an answer; empty when the caller is no browser of an allowed origin. */
export function corsHeaders(allowedOrigins: readonly string[], request: IncomingHttpHeaders): AnswerHeaders {
  if (allowedOrigins.length === 0) return {};
  // No origin that was not named is ever repeated, `null` included; credentials of the browser itself never go along.
  const anybody = allowedOrigins.includes('*');
  const { origin } = request;
  if (!anybody && (origin === undefined || !allowedOrigins.includes(origin))) return { vary: 'origin' };
  return {
    ...(!anybody && { vary: 'origin' }),
    'access-control-allow-origin': anybody ? '*' : String(origin),
    'access-control-expose-headers': exposedHeaders,
  };
}

/** Answers `OPTIONS` of a route template for all its methods. The CORS origin headers are added by the edge as everywhere. */
export function preflightAnswer(methods: readonly string[], request: IncomingHttpHeaders): Answer {
  const allow = methods.join(', ');
  if (request['access-control-request-method'] === undefined) return empty(204, { allow });
  return empty(204, {
    allow,
    'access-control-allow-methods': allow,
    'access-control-allow-headers':
      'authorization, content-md5, content-type, idempotency-key, if-match, if-modified-since, if-none-match, if-range, range, repr-digest, traceparent, x-api-key, x-correlation-id, x-file-name, x-request-id, x-request-timeout',
    'access-control-max-age': String(preflightSeconds),
  });
}
