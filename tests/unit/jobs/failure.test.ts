import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { describeFailure, storable } from '../../../src/lib/jobs/failure.ts';

const words = 'Something went wrong here; the log says what';

describe('what is kept of a failure', () => {
  it.each([
    [
      'words for clients of an error that has them',
      new AppError('unavailable', 'The storage is away', { cause: new Error('ECONNREFUSED 10.0.0.4') }),
      {
        code: 'unavailable',
        message: 'The storage is away',
        detail: 'AppError The storage is away: Error ECONNREFUSED 10.0.0.4',
      },
    ],
    [
      'no words of any other',
      Object.assign(new Error('host db.internal'), { code: 'pg_dump_failed' }),
      { code: 'pg_dump_failed', message: words, detail: 'Error host db.internal' },
    ],
    [
      'no code of another form',
      Object.assign(new Error('x'), { code: 'ECONNRESET' }),
      { code: 'internal', message: words, detail: 'Error x' },
    ],
    ['what is no error', 'thrown', { code: 'internal', message: words, detail: 'thrown' }],
    ['null', null, { code: 'internal', message: words, detail: 'null' }],
    ['nothing', undefined, { code: 'internal', message: words, detail: '' }],
  ])('is %s', (_, error, kept) => {
    expect(describeFailure(error)).toEqual(kept);
  });

  it('is bounded, also for an error that is its own cause', () => {
    const error = new Error('x'.repeat(5_000));
    error.cause = error;

    expect(describeFailure(error).detail).toHaveLength(2_000);
    expect(describeFailure(new AppError('internal', 'y'.repeat(5_000))).message).toHaveLength(500);
  });

  it('holds no secret, nor what the database cannot keep or a terminal would obey', () => {
    expect(storable('a\0b Bearer abcdefghijkl', 100)).toBe('ab Bearer [redacted]');
    expect(storable(`${'x'.repeat(20)} Bearer ${'s'.repeat(60)}`, 40)).not.toContain('sss');
    // What was taken out in front leaves room for one that was cut where it cannot be known any more.
    expect(storable(`sig=${'a'.repeat(53)} postgresql://app:hunter2@db/x`, 41)).not.toContain('hunter2');
    expect(storable('a\x1b[2Jb\r\x9bc\n\td', 100)).toBe('a[2Jbc\n\td');
    expect(storable('ab😀', 3)).toBe('ab\uFFFD');
  });
});
