import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { problemAnswer } from '../../../src/lib/http/problem.ts';

describe('a problem document', () => {
  it('shows what the error says to clients', () => {
    const error = new AppError('unavailable', 'Come back', {
      retryAfterSeconds: 1.2,
      cause: new Error('secret host'),
    });

    const answer = problemAnswer(error, 'abc');

    expect(answer.status).toBe(503);
    expect(answer.headers).toEqual({ 'content-type': 'application/problem+json', 'retry-after': '2' });
    expect(answer.body).toEqual({
      kind: 'json',
      value: {
        type: 'urn:crownsafe:problem:unavailable',
        title: 'A service we depend on is unavailable',
        status: 503,
        detail: 'Come back',
        code: 'unavailable',
        correlation_id: 'abc',
      },
    });
  });

  it.each([new Error('password=hunter2'), 'text', undefined, null, { status: 418 }])(
    'shows nothing of %o',
    (thrown) => {
      const answer = problemAnswer(thrown, 'abc');

      expect(answer.status).toBe(500);
      expect(JSON.stringify(answer)).not.toContain('hunter2');
      expect(answer.body).toMatchObject({ value: { code: 'internal', detail: 'The error has been logged' } });
    },
  );
});
