import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AppError, type ProblemCode, problems } from '../../../src/lib/core/index.ts';
import { isRefusal, toAppError } from '../../../src/lib/database/errors.ts';
import { problemAnswer } from '../../../src/lib/http/problem.ts';
import { IdentityError } from '../../../src/lib/security/identity-error.ts';
import { networkError, sqlError } from '../resilience/failures.ts';

/** What clients are told, by SQLSTATE: the rule of the design, written down a second time. */
const expected: readonly (readonly [sqlState: string, code: ProblemCode])[] = [
  ['08000', 'unavailable'],
  ['08006', 'unavailable'],
  ['22P02', 'validation_failed'],
  ['22003', 'validation_failed'],
  ['23001', 'conflict'],
  ['23502', 'validation_failed'],
  ['23503', 'validation_failed'],
  ['23505', 'conflict'],
  ['23514', 'validation_failed'],
  ['25006', 'unavailable'],
  ['40001', 'unavailable'],
  ['40P01', 'unavailable'],
  ['53100', 'unavailable'],
  ['53300', 'unavailable'],
  ['55P03', 'conflict'],
  ['57014', 'deadline_exceeded'],
  ['57P01', 'unavailable'],
  ['57P03', 'unavailable'],
  ['23P01', 'database'],
  ['42P01', 'database'],
  ['42501', 'database'],
  ['XX000', 'database'],
];

describe('toAppError', () => {
  it.each(expected)(
    'tells of SQLSTATE %s as %s, without its words, and keeps it as the cause',
    (state, code) => {
      const error = sqlError(state);

      const told = toAppError(error);

      expect(told).toMatchObject({ name: 'AppError', code, status: problems[code][0] });
      expect((told as AppError).cause).toBe(error);
      const answer = problemAnswer(told, 'abc');
      expect(JSON.stringify(answer)).not.toContain(error.message);
      expect(answer.headers['retry-after']).toBe(answer.status === 503 ? '5' : undefined);
    },
  );

  it('is tested for every row of its table', () => {
    const source = readFileSync(new URL('../../../src/lib/database/errors.ts', import.meta.url), 'utf8');
    const rows = [...source.matchAll(/^ {2}'?([0-9A-Z]{2,5})'?: \[/gm)].map(([, state = '']) => state);

    const untested = rows.filter((row) => !expected.some(([state]) => state.startsWith(row)));

    expect(untested).toEqual([]);
    expect(rows.length).toBeGreaterThan(10);
  });

  it('tells a row that others refer to from a reference to nothing', () => {
    const text =
      'update or delete on table "projects" violates foreign key constraint "files_project_id_fkey"';

    const told = toAppError(Object.assign(sqlError('23503'), { message: text }));

    expect(told).toMatchObject({ code: 'conflict', message: 'Others still refer to it' });
  });

  it('takes an identity without a token for an outage', () => {
    const error = new IdentityError('identity_unavailable', 'no answer');

    expect(toAppError(error)).toMatchObject({ code: 'unavailable', cause: error, retryAfterSeconds: 5 });
  });

  it.each([
    ['known errors', new AppError('not_found', 'Nothing here')],
    ['errors of the network', networkError('ECONNRESET')],
    ['a network code that has the form of an SQLSTATE', networkError('EPIPE')],
    ['bugs', new TypeError('x is not a function')],
    ['texts', 'text'],
    ['nothing', undefined],
  ])('leaves %s as they are', (_, error) => {
    expect(toAppError(error)).toBe(error);
  });
});

describe('isRefusal', () => {
  it.each([
    ['23505', 'ERROR', true],
    ['40001', 'ERROR', true],
    ['40003', 'ERROR', false],
    ['08006', 'ERROR', false],
    ['57P01', 'FATAL', false],
  ])('is, for SQLSTATE %s with severity %s, %s', (state, severity, refused) => {
    expect(isRefusal(Object.assign(sqlError(state), { severity }))).toBe(refused);
  });

  it('is false for what does not come from the server', () => {
    expect(isRefusal(networkError('ECONNRESET'))).toBe(false);
  });
});
