import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { problemAnswer } from '../../../src/lib/http/problem.ts';
import { codeOf, isHouseMissing } from '../../../src/lib/resilience/index.ts';
import { IdentityError } from '../../../src/lib/security/identity-error.ts';
import { outcomeOfRefusal, statusOf, translate } from '../../../src/lib/storage/errors.ts';
import { azureError, networkError } from '../resilience/failures.ts';

describe('the status of an error', () => {
  it.each([
    ['a refusal', azureError(409), 409],
    ['a request without an answer', networkError('ECONNRESET'), undefined],
    ['a status that is no number', { statusCode: '409' }, undefined],
    ['a text', 'broken', undefined],
    ['nothing', null, undefined],
  ])('is that of %s', (_, error, status) => {
    expect(statusOf(error)).toBe(status);
  });
});

describe('the code of an error', () => {
  it.each([
    ['the error itself', { code: 'BlobNotFound', details: { errorCode: 'Other' } }, 'BlobNotFound'],
    ['the header', { code: undefined, details: { errorCode: 'LeaseLost' } }, 'LeaseLost'],
    ['the body of a table', { details: { odataError: { code: 'TableNotFound' } } }, 'TableNotFound'],
    ['nowhere', { details: { odataError: {} } }, ''],
    ['a number, as of an abort', { code: 20 }, ''],
    ['nothing', undefined, ''],
  ])('is found in %s', (_, error, code) => {
    expect(codeOf(error)).toBe(code);
  });
});

describe('what is missing', () => {
  it.each([
    ['ContainerNotFound', true],
    ['TableNotFound', true],
    ['QueueNotFound', true],
    ['BlobNotFound', false],
    ['ResourceNotFound', false],
    ['', false],
  ])('after %s is the house itself: %s', (code, expected) => {
    expect(isHouseMissing(azureError(404, code))).toBe(expected);
  });
});

describe('a write on a condition', () => {
  it.each([
    [404, 'absent'],
    [412, 'changed'],
  ])('that is refused with %i has met what is %s', (status, outcome) => {
    expect(outcomeOfRefusal(azureError(status))).toBe(outcome);
  });

  it.each([azureError(409), azureError(403), azureError(503), networkError('ECONNRESET')])(
    'passes on all else: %s',
    (error) => {
      expect(() => outcomeOfRefusal(error)).toThrow(error);
    },
  );
});

describe('what rooms above see', () => {
  it('of a refusal is `upstream`, with the refusal as its cause and not in its words', () => {
    const error = azureError(403, 'AuthorizationFailure');

    const seen = translate(error);

    expect(seen).toMatchObject({ name: 'AppError', code: 'upstream', cause: error });
    expect(String(seen)).not.toContain('403');
  });

  it.each([400, 401, 403, 404, 409, 412, 416, 429, 500, 503])(
    'of a refusal with %i shows clients nothing',
    (status) => {
      const answer = problemAnswer(translate(azureError(status, 'AuthorizationFailure')), 'correlation-1');

      expect(answer.status).toBe(502);
      expect(JSON.stringify(answer)).not.toMatch(/Azure|AuthorizationFailure/);
    },
  );

  it.each(['identity_unavailable', 'identity_refused'] as const)('of %s is `unavailable`', (code) => {
    const error = new IdentityError(code);

    expect(translate(error)).toMatchObject({ code: 'unavailable', retryAfterSeconds: 5, cause: error });
  });

  it.each([
    ['the reason of an abort', new DOMException('over', 'AbortError')],
    ['an error that has its meaning already', new AppError('not_found', 'There is no such file')],
    ['a mistake of ours', new TypeError('undefined is not a function')],
  ])('of %s is itself', (_, error) => {
    expect(translate(error)).toBe(error);
  });
});
