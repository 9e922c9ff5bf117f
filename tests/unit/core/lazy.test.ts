import { describe, expect, it } from 'vitest';
import { lazy } from '../../../src/lib/core/index.ts';

describe('lazy', () => {
  it('makes its value at the first use, once', () => {
    let made = 0;
    const value = lazy(() => ({ number: ++made }));

    const before = made;
    const [first, second] = [value(), value()];

    expect([before, made]).toEqual([0, 1]);
    expect(second).toBe(first);
  });

  it('keeps a value that is undefined', () => {
    let made = 0;
    const value = lazy(() => {
      made += 1;
    });

    value();
    value();

    expect(made).toBe(1);
  });

  it('shows the value without making one', () => {
    const value = lazy(() => 'made');

    const before = value.peek();
    value();

    expect([before, value.peek()]).toEqual([undefined, 'made']);
  });

  it('forgets a failure, so that the next use tries again', () => {
    let outage = true;
    const value = lazy(() => {
      if (outage) throw new Error('not yet');
      return 'made';
    });

    expect(value).toThrow('not yet');
    outage = false;

    expect(value()).toBe('made');
  });

  it('shares a promise, and forgets it when it rejects', async () => {
    let tries = 0;
    const value = lazy(async () => {
      tries += 1;
      if (tries === 1) throw new Error('not yet');
      return tries;
    });

    const failures = await Promise.allSettled([value(), value()]);
    const results = await Promise.all([value(), value()]);

    expect(failures.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(results).toEqual([2, 2]);
    expect(tries).toBe(2);
  });
});
