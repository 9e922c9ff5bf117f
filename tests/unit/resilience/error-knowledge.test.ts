import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { azureCodes, judgeAzureError, pipelineCodes } from '../../../src/lib/resilience/azure-errors.ts';
import { describeFailure } from '../../../src/lib/resilience/failure-description.ts';
import { httpStatuses, judgeHttpError } from '../../../src/lib/resilience/http-errors.ts';
import { networkCodes } from '../../../src/lib/resilience/network-errors.ts';
import {
  driverMessages,
  judgePostgresError,
  sqlStates,
} from '../../../src/lib/resilience/postgres-errors.ts';
import { retryAfterMs } from '../../../src/lib/resilience/retry-after.ts';
import { AttemptTimeoutError } from '../../../src/lib/resilience/timeout.ts';
import {
  countsAsFailure,
  isTemporary,
  mayRepeat,
  provesLife,
  type Verdict,
} from '../../../src/lib/resilience/verdict.ts';
import { azureError, networkError, sqlError } from './failures.ts';

/* Each table is written out once more: a row that is added, changed or lost shows here. */

describe('the knowledge of statuses', () => {
  const rows: [number, Verdict][] = [
    [408, 'lost'],
    [425, 'refused'],
    [429, 'refused'],
    [500, 'lost'],
    [502, 'lost'],
    [503, 'refused'],
    [504, 'lost'],
  ];

  it('has these rows', () => {
    expect([...httpStatuses.keys()]).toEqual(rows.map(([status]) => status));
  });

  it.each([
    ...rows,
    ...[304, 400, 401, 403, 404, 405, 409, 410, 411, 412, 413, 415, 416].map((status): [number, Verdict] => [
      status,
      'answered',
    ]),
    ...[501, 505, 507, 599].map((status): [number, Verdict] => [status, 'broken']),
  ])('takes %i for %s, of Azure and of anybody', (status, verdict) => {
    expect(judgeAzureError(azureError(status))).toBe(verdict);
    expect(judgeHttpError({ status })).toBe(verdict);
  });
});

describe('the knowledge of Azure errors', () => {
  const rows: [number, string, Verdict][] = [
    [500, 'InternalError', 'lost'],
    [500, 'OperationTimedOut', 'lost'],
    [503, 'ServerBusy', 'refused'],
    [409, 'AccountBeingCreated', 'clashed'],
  ];
  const pipelineRows: [string, Verdict][] = [
    ['REQUEST_SEND_ERROR', 'lost'],
    ['PARSE_ERROR', 'lost'],
  ];

  it('has these rows', () => {
    expect([...azureCodes.keys()]).toEqual(rows.map(([, code]) => code));
    expect([...pipelineCodes.keys()]).toEqual(pipelineRows.map(([code]) => code));
  });

  it.each([
    ...rows,
    [404, 'BlobNotFound', 'answered'],
    [404, 'CannotVerifyCopySource', 'answered'],
    [409, 'BlobAlreadyExists', 'answered'],
    [409, 'ContainerBeingDeleted', 'answered'],
    [409, 'EntityAlreadyExists', 'answered'],
    [412, 'ConditionNotMet', 'answered'],
    [412, 'LeaseIdMissing', 'answered'],
    [403, 'AuthorizationFailure', 'answered'],
    [403, 'AccountIsDisabled', 'answered'],
    [500, 'CannotVerifyCopySource', 'lost'],
    [501, 'NotImplemented', 'broken'],
  ] as [number, string, Verdict][])('takes %i %s for %s', (status, code, verdict) => {
    expect(judgeAzureError(azureError(status, code))).toBe(verdict);
  });

  it('finds the code of a table error two levels deeper', () => {
    const error = Object.assign(azureError(409), {
      details: { odataError: { code: 'AccountBeingCreated' } },
    });

    expect(judgeAzureError(error)).toBe('clashed');
  });

  it.each(pipelineRows)('takes %s, without an answer, for %s', (code, verdict) => {
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

describe('the knowledge of the network', () => {
  const rows: [string, Verdict][] = [
    ['ECONNREFUSED', 'refused'],
    ['EHOSTDOWN', 'refused'],
    ['EHOSTUNREACH', 'refused'],
    ['ENETDOWN', 'refused'],
    ['ENETUNREACH', 'refused'],
    ['ENOTFOUND', 'refused'],
    ['EAI_AGAIN', 'refused'],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', 'refused'],
    ['ECONNRESET', 'lost'],
    ['ECONNABORTED', 'lost'],
    ['EPIPE', 'lost'],
    ['ETIMEDOUT', 'lost'],
    ['ERR_STREAM_PREMATURE_CLOSE', 'lost'],
    ['UND_ERR_CONNECT_TIMEOUT', 'refused'],
    ['UND_ERR_SOCKET', 'lost'],
    ['UND_ERR_HEADERS_TIMEOUT', 'lost'],
    ['UND_ERR_BODY_TIMEOUT', 'lost'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'lost'],
    ['UND_ERR_HEADERS_OVERFLOW', 'broken'],
    ['answer_malformed', 'broken'],
    ['CERT_HAS_EXPIRED', 'broken'],
    ['CERT_NOT_YET_VALID', 'broken'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'broken'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'broken'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'broken'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'broken'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'broken'],
    ['EPROTO', 'broken'],
    ['injected_fault', 'refused'],
    ['identity_unavailable', 'refused'],
    ['identity_refused', 'broken'],
  ];

  it('has these rows', () => {
    expect([...networkCodes.keys()]).toEqual(rows.map(([code]) => code));
  });

  it.each([
    ...rows,
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'broken'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'broken'],
  ] as [string, Verdict][])('takes %s for %s, whoever was asked', (code, verdict) => {
    const error = networkError(code);

    expect([judgeAzureError(error), judgePostgresError(error), judgeHttpError(error)]).toEqual([
      verdict,
      verdict,
      verdict,
    ]);
  });

  it('takes a server that hangs up for a lost answer', async () => {
    const server = net.createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;

    const [error] = await once(http.get({ port, host: '127.0.0.1', agent: false }), 'error');
    server.close();

    expect(error).toMatchObject({ message: 'socket hang up', code: 'ECONNRESET' });
    expect(judgeAzureError(error)).toBe('lost');
  });

  it('takes a server that speaks no TLS for broken', async () => {
    const server = net
      .createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;

    const [error] = await once(https.get({ port, host: '127.0.0.1', agent: false }), 'error');
    const fetched = await fetch(`https://127.0.0.1:${port}`).catch((failure) => failure);
    server.close();

    expect([judgeAzureError(error), judgePostgresError(error)]).toEqual(['broken', 'broken']);
    expect(judgeHttpError(fetched)).toBe('broken');
  });
});

describe('the knowledge of PostgreSQL errors', () => {
  const rows: [string, Verdict][] = [
    ['08', 'lost'],
    ['08001', 'refused'],
    ['08004', 'refused'],
    ['25006', 'refused'],
    ['40001', 'clashed'],
    ['40P01', 'clashed'],
    ['40003', 'lost'],
    ['53', 'broken'],
    ['53300', 'refused'],
    ['57P01', 'lost'],
    ['57P02', 'lost'],
    ['57P03', 'refused'],
    ['57P04', 'broken'],
    ['57P05', 'lost'],
    ['58', 'broken'],
    ['XX', 'broken'],
  ];
  const messageRows: [string, Verdict][] = [
    ['timeout exceeded when trying to connect', 'crowded'],
    ['timeout expired', 'refused'],
    ['Connection terminated due to connection timeout', 'refused'],
    ['Connection terminated', 'lost'],
    ['Client has encountered a connection error', 'lost'],
    ['Client was closed and is not queryable', 'lost'],
    ['The server does not support SSL connections', 'broken'],
    ['There was an error establishing an SSL connection', 'refused'],
    ['Query read timeout', 'lost'],
  ];

  it('has these rows', () => {
    expect([...sqlStates.keys()]).toEqual(rows.map(([state]) => state));
    expect(driverMessages.map(([text]) => text)).toEqual(messageRows.map(([text]) => text));
  });

  it.each([
    ...rows.map(([state, verdict]): [string, Verdict] => [state.padEnd(5, '0'), verdict]),
    ['08006', 'lost'],
    ['08P01', 'lost'],
    ['53100', 'broken'],
    ['53200', 'broken'],
    ['58030', 'broken'],
    ['XX002', 'broken'],
    ['22P02', 'answered'],
    ['23503', 'answered'],
    ['23505', 'answered'],
    ['25P02', 'answered'],
    ['28P01', 'answered'],
    ['40002', 'answered'],
    ['42P01', 'answered'],
    ['55P03', 'answered'],
    ['57014', 'answered'],
  ] as [string, Verdict][])('takes SQLSTATE %s for %s', (state, verdict) => {
    expect(judgePostgresError(sqlError(state))).toBe(verdict);
  });

  it.each([
    ...messageRows,
    ['Connection terminated unexpectedly', 'lost'],
    ['Client has encountered a connection error and is not queryable', 'lost'],
    ['Cannot read properties of undefined', 'foreign'],
  ] as [string, Verdict][])('takes the message "%s" for %s', (message, verdict) => {
    expect(judgePostgresError(new Error(message))).toBe(verdict);
  });

  it('tells a network code from an SQLSTATE of the same form', () => {
    expect(judgePostgresError(networkError('EPIPE'))).toBe('lost');
  });

  it('takes its own time limit for a lost answer', () => {
    expect(judgePostgresError(new AttemptTimeoutError(10))).toBe('lost');
  });
});

describe('what follows from a verdict', () => {
  it.each([
    // verdict, counts, proves life, temporary, repeated when repeatable, repeated in any case
    ['refused', true, false, true, true, true],
    ['lost', true, false, true, true, false],
    ['broken', true, false, false, false, false],
    ['clashed', false, true, true, true, true],
    ['answered', false, true, false, false, false],
    ['crowded', false, false, true, false, false],
    ['foreign', false, false, false, false, false],
  ] as const)('%s', (verdict, counts, life, temporary, repeatable, always) => {
    expect([
      countsAsFailure(verdict),
      provesLife(verdict),
      isTemporary(verdict),
      mayRepeat(verdict, true),
      mayRepeat(verdict, false),
    ]).toEqual([counts, life, temporary, repeatable, always]);
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
    ['9'.repeat(400), undefined],
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
