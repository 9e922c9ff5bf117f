import { describe, expect, it } from 'vitest';
import { AppError, type ProblemCode, problems } from '../../../src/lib/core/index.ts';
import { problemAnswer, problemShape, toProblem } from '../../../src/lib/http/problem.ts';

const codes = Object.keys(problems) as ProblemCode[];

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

  it('lists refused fields, and carries the headers of the error', () => {
    const errors = [{ path: 'name', message: 'is required', code: 'required' }];
    const error = new AppError('validation_failed', 'name: is required', {
      errors,
      headers: { allow: 'GET' },
    });

    const answer = problemAnswer(error, 'abc');

    expect(answer.body).toMatchObject({ value: { errors } });
    expect(answer.headers).toMatchObject({ allow: 'GET', 'content-type': 'application/problem+json' });
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

  it('repeats no secret that stands in the place of a name, and no name of any length', () => {
    const refuse = (path: string) =>
      toProblem(
        new AppError('validation_failed', `${path}: is not known here`, {
          errors: [{ path, message: 'is not known here', code: 'unknown' }],
        }),
        'abc',
      );

    const secret = JSON.stringify(refuse('csk_0123456789abcdef_hunter2hunter2hunter2'));
    const plain = refuse('items.3.password');
    const long = JSON.stringify(refuse('x'.repeat(1_000_000)));

    expect(secret).not.toContain('hunter2');
    expect(plain).toMatchObject({
      detail: 'items.3.password: is not known here',
      errors: [{ path: 'items.3.password' }],
    });
    expect(long.length).toBeLessThan(2_000);
  });

  it.each(codes)('has the declared shape and the status of its code: %s', (code) => {
    const document = toProblem(new AppError(code, 'Words'), 'abc');

    expect(problemShape.parse(document)).toEqual(document);
    expect(document.status).toBe(problems[code][0]);
    expect(document.title).toBe(problems[code][1]);
  });
});

describe('retry-after', () => {
  const retryAfterOf = (error: unknown) => problemAnswer(error, 'abc').headers['retry-after'];

  it('stands in every 429 and 503, and in no other problem by itself', () => {
    const asking = codes.filter((code) => [429, 503].includes(problems[code][0]));

    const told = codes.filter((code) => retryAfterOf(new AppError(code, 'Words')) === '5');

    expect(told).toEqual(asking);
    expect(asking).toContain('unavailable');
    expect(codes.filter((code) => retryAfterOf(new AppError(code, 'Words')) === undefined)).toHaveLength(
      codes.length - asking.length,
    );
  });

  it.each([
    [0, '1'],
    [0.2, '1'],
    [60, '60'],
    [60.1, '61'],
  ])('is %s seconds in whole seconds, at least one: %s', (retryAfterSeconds, header) => {
    expect(retryAfterOf(new AppError('report_busy', 'Words', { retryAfterSeconds }))).toBe(header);
  });
});
