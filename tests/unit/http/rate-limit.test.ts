import { describe, expect, it } from 'vitest';
import { createRateLimiter } from '../../../src/lib/http/index.ts';
import { createTokenBuckets } from '../../../src/lib/http/token-buckets.ts';
import { createMetrics } from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function setUp() {
  const clock = fakeClock();
  const metrics = createMetrics('i1');
  const limiter = createRateLimiter(clock, metrics);
  /** How many of so many requests are let through. */
  const allowed = (requests: number, key: string, ...policies: Parameters<typeof limiter.count>[1][]) => {
    const [first = 'caller', ...others] = policies;
    const counted = Array.from({ length: requests }, () => limiter.count(key, first, ...others));
    return counted.filter(({ refusal }) => refusal === undefined).length;
  };
  return { allowed, clock, limiter, metrics };
}

describe('the rate limit', () => {
  it.each([
    ['address', 60],
    ['caller', 600],
    ['uploads', 120],
  ] as const)('of %s lets %d requests through at once, and as many in each minute', async (policy, quota) => {
    const { allowed, clock } = setUp();

    const atOnce = allowed(1_000, 'a', policy);
    await clock.advance(30_000);
    const afterHalfAMinute = allowed(1_000, 'a', policy);
    await clock.advance(3_600_000);
    const afterAnHour = allowed(1_000, 'a', policy);

    expect([atOnce, afterHalfAMinute, afterAnHour]).toEqual([quota, quota / 2, quota]);
  });

  it('is one for each', () => {
    const { allowed } = setUp();

    expect([allowed(700, 'a'), allowed(1, 'b')]).toEqual([600, 1]);
  });

  it('counts an upload in both of its policies, or in none', async () => {
    const { allowed, clock, limiter } = setUp();

    const uploads = allowed(500, 'a', 'caller', 'uploads');
    const { headers } = limiter.count('a', 'caller');
    await clock.advance(1_000);

    expect(uploads).toBe(120);
    expect(headers['ratelimit']).toBe('"caller";r=479;t=1');
    expect(allowed(100, 'a', 'caller', 'uploads')).toBe(2);
  });

  it('goes by a clock that does not jump', () => {
    const { allowed, clock } = setUp();
    allowed(600, 'a');

    clock.jump(3_600_000);

    expect(allowed(1, 'a')).toBe(0);
  });

  it('tells of itself in structured fields', () => {
    const { limiter } = setUp();

    const { headers, refusal } = limiter.count('a', 'caller', 'uploads');

    expect(refusal).toBeUndefined();
    expect(headers).toEqual({
      ratelimit: '"caller";r=599;t=1, "uploads";r=119;t=1',
      'ratelimit-policy': '"caller";q=600;w=60, "uploads";q=120;w=60',
    });
  });

  it('refuses with what is left, and says when to come again; not earlier than there is something', async () => {
    const { allowed, clock, limiter, metrics } = setUp();
    allowed(60, 'a', 'address');

    const { headers, refusal } = limiter.count('a', 'address');
    await clock.advance((refusal?.retryAfterSeconds ?? 0) * 1000);

    expect(headers['ratelimit']).toBe('"address";r=0;t=1');
    expect(refusal).toMatchObject({ code: 'rate_limited', status: 429, retryAfterSeconds: 1 });
    expect(allowed(2, 'a', 'address')).toBe(1);
    expect(await metrics.render()).toMatch(/^rate_limited_total\{policy="address",instance="i1"\} 2$/m);
  });
});

describe('token buckets', () => {
  it('are as many as are allowed; who came least recently is forgotten', () => {
    const buckets = createTokenBuckets(fakeClock(), { requests: 10, windowSeconds: 60 }, 2);
    const take = (key: string) => {
      const bucket = buckets.of(key);
      bucket.tokens -= 1;
      return bucket.tokens;
    };

    take('a');
    take('b');
    const second = take('a');
    take('c');

    expect([second, take('a'), take('b')]).toEqual([8, 7, 9]);
  });

  it('say when there is more; a full one has nothing to wait for', async () => {
    const clock = fakeClock();
    const buckets = createTokenBuckets(clock, { requests: 10, windowSeconds: 10 }, 2);

    const full = buckets.nextMs(buckets.of('a'));
    buckets.of('a').tokens -= 1;
    await clock.advance(250);

    expect(full).toBe(0);
    expect(buckets.nextMs(buckets.of('a'))).toBeCloseTo(750);
  });
});
