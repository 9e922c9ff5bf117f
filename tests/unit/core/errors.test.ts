import { describe, expect, it } from 'vitest';
import { AppError, isAppError, isId, newId, newSecret } from '../../../src/lib/core/index.ts';

describe('AppError', () => {
  it('knows its status and title by its code, and keeps its cause', () => {
    const cause = new Error('23505');

    const error = new AppError('conflict', 'This name is taken', { cause, retryAfterSeconds: 5 });

    expect(error).toMatchObject({
      name: 'AppError',
      code: 'conflict',
      status: 409,
      title: 'The request conflicts with the present state',
      message: 'This name is taken',
      headers: {},
      errors: undefined,
      retryAfterSeconds: 5,
    });
    expect(error.cause).toBe(cause);
  });

  it('is told from other errors, and by its code', () => {
    const error = new AppError('not_found', 'Nothing here');

    expect([isAppError(error), isAppError(error, 'not_found')]).toEqual([true, true]);
    expect([isAppError(error, 'conflict'), isAppError(new Error('x')), isAppError(undefined)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('newId', () => {
  it('makes ids that are accepted as such, each its own', () => {
    const ids = Array.from({ length: 100 }, newId);

    expect(ids.every(isId)).toBe(true);
    expect(new Set(ids).size).toBe(100);
  });

  it.each(['', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '1'])(
    'does not stand for %j',
    (text) => {
      expect(isId(text)).toBe(false);
    },
  );
});

describe('newSecret', () => {
  it('has the size that is asked for', () => {
    expect(newSecret(32)).toHaveLength(32);
    expect(newSecret(32).equals(newSecret(32))).toBe(false);
  });
});
