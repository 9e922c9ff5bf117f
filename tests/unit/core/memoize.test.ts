import { describe, expect, it } from 'vitest';
import { memoize } from '../../../src/lib/core/index.ts';

describe('memoize', () => {
  it('makes each value once, also one that is undefined', () => {
    const asked: string[] = [];
    const get = memoize(10, (text) => {
      asked.push(text);
      return text === 'none' ? undefined : text.toUpperCase();
    });

    expect(['a', 'none', 'a', 'none', 'b'].map(get)).toEqual(['A', undefined, 'A', undefined, 'B']);
    expect(asked).toEqual(['a', 'none', 'b']);
  });

  it('forgets all rather than to keep more than it may', () => {
    let made = 0;
    const get = memoize(2, () => ++made);

    expect(['a', 'b', 'c', 'c', 'a'].map(get)).toEqual([1, 2, 3, 3, 4]);
  });

  it('remembers nothing of a failure', () => {
    let tries = 0;
    const get = memoize(2, () => {
      if (++tries === 1) throw new Error('no');
      return tries;
    });

    expect(() => get('a')).toThrow('no');
    expect(get('a')).toBe(2);
  });
});
