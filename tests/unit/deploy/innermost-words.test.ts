import { describe, expect, it } from 'vitest';
import { innermostWords } from '../../../scripts/deploy/innermost-words.ts';

describe('the innermost words of an error', () => {
  it.each<[string, unknown, string]>([
    ['its own, where it has no cause', new Error('refused'), 'refused'],
    [
      'those of the last cause',
      new Error('fetch failed', { cause: new Error('middle', { cause: new Error('self-signed') }) }),
      'self-signed',
    ],
    ['its own, where the cause is no error', new Error('fetch failed', { cause: 'x' }), 'fetch failed'],
    [
      'its code, where it has no words',
      Object.assign(new AggregateError([], 'several'), { message: '', code: 'ECONNREFUSED' }),
      'ECONNREFUSED',
    ],
    ['its name, where it has neither', Object.assign(new TypeError('x'), { message: '' }), 'TypeError'],
    ['what was thrown, where it is no error', 'text', 'text'],
  ])('are %s', (_, error, words) => {
    expect(innermostWords(error)).toBe(words);
  });
});
