import { AppError, type Clock } from '../core/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { AnswerHeaders } from './answer.ts';
import { createTokenBuckets, type Quota } from './token-buckets.ts';

/** Which limit a request counts in. */
export type Policy = 'address' | 'caller' | 'uploads';

/** Per instance; the exact numbers stand in docs/http.md. */
const quotas: Readonly<Record<Policy, Quota>> = {
  /** Whoever shows no credential, or a bad one. */
  address: { requests: 60, windowSeconds: 60 },
  caller: { requests: 600, windowSeconds: 60 },
  /** Beside `caller`. */
  uploads: { requests: 120, windowSeconds: 60 },
};

/** For each policy: about 1 MB. */
const maxBuckets = 10_000;

/** What came of counting a request. */
export interface Counted {
  /** `ratelimit` and `ratelimit-policy`, for the answer whatever it is. */
  readonly headers: AnswerHeaders;
  /** The refusal, when there were too many. */
  readonly refusal: AppError | undefined;
}

/** The limits on how often somebody may call this instance. */
export interface RateLimiter {
  /**
   * Counts a request in each of the policies, or in none when one of them is used up.
   *
   * @param key - whose: the id of a caller, or the network of an address
   */
  count(key: string, ...policies: readonly [Policy, ...Policy[]]): Counted;
}

/** Makes the limits, in memory: token buckets that fill by a clock which does not jump. */
export function createRateLimiter(clock: Clock, metrics: Metrics): RateLimiter {
  const refused = metrics.counter('rate_limited_total', 'Requests refused because there were too many');
  const bucketsOf = (policy: Policy) => createTokenBuckets(clock, quotas[policy], maxBuckets);
  const buckets = {
    address: bucketsOf('address'),
    caller: bucketsOf('caller'),
    uploads: bucketsOf('uploads'),
  };
  return {
    count(key, ...policies) {
      const counted = policies.map((policy) => ({ policy, bucket: buckets[policy].of(key) }));
      const empty = counted.find(({ bucket }) => bucket.tokens < 1);
      if (!empty) for (const { bucket } of counted) bucket.tokens -= 1;
      const limits = counted.map(({ policy, bucket }) => {
        const seconds = Math.ceil(buckets[policy].nextMs(bucket) / 1000);
        return { policy, left: Math.floor(bucket.tokens), seconds };
      });
      if (empty) refused.add({ policy: empty.policy });
      return { headers: limitHeaders(limits), refusal: empty && refusalOf(empty.policy, limits) };
    },
  };
}

interface Limit {
  readonly policy: Policy;
  readonly left: number;
  /** Within which the client can use no more than what is left. */
  readonly seconds: number;
}

/** As of draft-ietf-httpapi-ratelimit-headers-11, in Structured Fields (RFC 9651). */
function limitHeaders(limits: readonly Limit[]): AnswerHeaders {
  return {
    ratelimit: limits.map(({ policy, left, seconds }) => `"${policy}";r=${left};t=${seconds}`).join(', '),
    'ratelimit-policy': limits.map(({ policy }) => describe(policy)).join(', '),
  };
}

function describe(policy: Policy): string {
  const { requests, windowSeconds } = quotas[policy];
  return `"${policy}";q=${requests};w=${windowSeconds}`;
}

/** No limit says to come back earlier than one of them, which is what the draft asks of `retry-after`. */
function refusalOf(policy: Policy, limits: readonly Limit[]): AppError {
  const { requests, windowSeconds } = quotas[policy];
  return new AppError(
    'rate_limited',
    `More than ${requests} requests in ${windowSeconds} seconds (${policy})`,
    { retryAfterSeconds: Math.max(...limits.map(({ seconds }) => seconds)) },
  );
}
