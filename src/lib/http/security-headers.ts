import type { AnswerHeaders } from './answer.ts';

/**
 * What every answer says to browsers and caches, unless it says otherwise itself. `permissions-policy` is missing on purpose: it
 * means something on pages only, and `x-frame-options` because `frame-ancestors` says the same.
 */
export const securityHeaders: AnswerHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  // For those that ask without CORS, as `<img>` and `<script>` of other sites do; CORS goes by its own headers.
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
};
