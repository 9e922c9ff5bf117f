import { describe, expect, it } from 'vitest';
import { judgeAzureError } from '../../../src/lib/resilience/azure-errors.ts';
import { describeFailure } from '../../../src/lib/resilience/failure-description.ts';
import { judgePostgresError } from '../../../src/lib/resilience/postgres-errors.ts';
import { retryAfterMs } from '../../../src/lib/resilience/retry-after.ts';
import { AttemptTimeoutError } from '../../../src/lib/resilience/timeout.ts';
import { azureError, networkError, sqlError } from './failures.ts';

describe('the knowledge of Azure errors', () => {
  it.each([
    [400, 'answered'],
    [401, 'answered'],
    [403, 'answered'],
    [404, 'answered'],
    [408, 'lost'],
    [409, 'answered'],
    [412, 'answered'],
    [416, 'answered'],
    [429, 'refused'],
    [500, 'lost'],
    [501, 'broken'],
    [502, 'lost'],
    [503, 'refused'],
    [504, 'lost'],
    [507, 'broken'],
  ])('takes status %i for %s', (status, verdict) => {
    expect(judgeAzureError(azureError(status))).toBe(verdict);
  });

  it.each([
    ['ECONNREFUSED', 'refused'],
    ['ENOTFOUND', 'refused'],
    ['ECONNRESET', 'lost'],
    ['EPIPE', 'lost'],
    ['REQUEST_SEND_ERROR', 'lost'],
    ['CERT_HAS_EXPIRED', 'broken'],
    ['identity_unavailable', 'refused'],
    ['identity_refused', 'broken'],
  ])('takes the network code %s for %s', (code, verdict) => {
    expect(judgeAzureError(networkError(code))).toBe(verdict);
  });

  it('takes an AbortError that nobody asked for, and its own time limit, for a lost answer', () => {
    expect(judgeAzureError(new DOMException('The operation was aborted.', 'AbortError'))).toBe('lost');
    expect(judgeAzureError(new AttemptTimeoutError(10))).toBe('lost');
  });

  it.each([[new TypeError('a bug')], ['text'], [undefined], [null], [{}], [networkError('toString')]])(
    'takes what is no error of the service for foreign: %s',
    (error) => {
      expect(judgeAzureError(error)).toBe('foreign');
    },
  );
});

describe('the knowledge of PostgreSQL errors', () => {
  it.each([
    ['08006', 'lost'],
    ['08001', 'refused'],
    ['08P01', 'lost'],
    ['25006', 'refused'],
    ['40001', 'clashed'],
    ['40P01', 'clashed'],
    ['40003', 'lost'],
    ['53100', 'broken'],
    ['53300', 'refused'],
    ['57P01', 'lost'],
    ['57P02', 'lost'],
    ['57P03', 'refused'],
    ['57014', 'answered'],
    ['55P03', 'answered'],
    ['23505', 'answered'],
    ['22P02', 'answered'],
    ['42P01', 'answered'],
    ['XX000', 'broken'],
  ])('takes SQLSTATE %s for %s', (state, verdict) => {
    expect(judgePostgresError(sqlError(state))).toBe(verdict);
  });

  it.each([
    ['timeout exceeded when trying to connect', 'crowded'],
    ['timeout expired', 'refused'],
    ['Connection terminated due to connection timeout', 'refused'],
    ['Connection terminated unexpectedly', 'lost'],
    ['Connection terminated', 'lost'],
    ['Client has encountered a connection error and is not queryable', 'lost'],
    ['Query read timeout', 'lost'],
    ['Cannot read properties of undefined', 'foreign'],
  ])('takes the message "%s" for %s', (message, verdict) => {
    expect(judgePostgresError(new Error(message))).toBe(verdict);
  });

  it('tells a network code from an SQLSTATE of the same form', () => {
    expect(judgePostgresError(networkError('EPIPE'))).toBe('lost');
    expect(judgePostgresError(networkError('ECONNREFUSED'))).toBe('refused');
  });
});

describe('describeFailure', () => {
  it.each([
    [404, 'warning'],
    [409, 'warning'],
    [403, 'error'],
    [503, 'error'],
  ])('gives status %i the level %s', (status, level) => {
    expect(describeFailure(azureError(status, 'SomeCode'))).toEqual({
      level,
      errorType: 'RestError',
      status,
      code: 'SomeCode',
    });
  });

  it('finds the code of a table error one level deeper', () => {
    const error = Object.assign(azureError(409), {
      details: { odataError: { code: 'EntityAlreadyExists' } },
    });

    expect(describeFailure(error)).toMatchObject({ level: 'warning', code: 'EntityAlreadyExists' });
  });

  it('describes whatever was thrown', () => {
    expect(describeFailure('text')).toEqual({ level: 'error', errorType: 'string' });
  });
});

describe('retryAfterMs', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z');

  it.each([
    ['7', 7_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
  ])('reads the header "%s" as %s ms', (header, expected) => {
    expect(retryAfterMs(azureError(503, '', { 'retry-after': header }), nowMs)).toBe(expected);
  });

  it('reads the property of an error, and finds nothing where there is nothing', () => {
    expect(retryAfterMs({ retryAfterSeconds: 3 }, nowMs)).toBe(3_000);
    expect(retryAfterMs({ retryAfterSeconds: -1 }, nowMs)).toBeUndefined();
    expect(retryAfterMs(new Error('plain'), nowMs)).toBeUndefined();
    expect(retryAfterMs(undefined, nowMs)).toBeUndefined();
  });
});
