import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/core/index.ts';
import { clientGoneStatus, createAccessLog } from '../../../src/lib/http/access-log.ts';
import { createLogger, createMetrics, runInContext } from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/** Runs a request of 1.5 s that keeps one detail and ends as told. */
async function linesOfRequest(status: number, error?: unknown): Promise<Record<string, unknown>[]> {
  const clock = fakeClock();
  const lines: string[] = [];
  const logger = createLogger({ clock, level: 'info', write: (line) => lines.push(line) });
  const accessLog = createAccessLog(clock, logger, createMetrics('i1'));
  const context = { correlationId: 'correlation-1', functionName: 'f', requestId: 'r', write: undefined };
  await runInContext(context, async () => {
    const end = accessLog.start('GET', 'api/v1/files/{id}');
    logger.debug('a detail');
    await clock.advance(1_500);
    end(status, error);
  });
  return lines.map((line) => JSON.parse(line));
}

describe('the line of a request', () => {
  it('tells of method, template, status and time', async () => {
    expect(await linesOfRequest(200)).toEqual([
      expect.objectContaining({
        level: 'info',
        message: 'request answered',
        method: 'GET',
        endpoint: '/api/v1/files/{id}',
        status: 200,
        duration_ms: 1_500,
      }),
    ]);
  });

  it.each([
    ['a refusal', 404, new AppError('not_found', 'Nothing here'), 'request refused'],
    ['a client that has gone', clientGoneStatus, new Error('gone'), 'the client has gone'],
  ])('is no alarm for %s, and stands alone', async (_, status, error, message) => {
    expect(await linesOfRequest(status, error)).toMatchObject([{ level: 'info', message }]);
  });

  it.each([
    ['an outage', 503, new AppError('unavailable', 'Away')],
    ['a deadline', 504, new AppError('deadline_exceeded', 'Too long')],
    ['a bug', 500, new TypeError('x is not a function')],
    ['an answer that broke off', 200, new Error('the blob ended early')],
    ['an answer that broke off for what would refuse a request', 200, new AppError('conflict', 'Changed')],
  ])('is an error for %s, after what was kept of the request', async (_, status, error) => {
    expect(await linesOfRequest(status, error)).toMatchObject([
      { level: 'debug', message: 'a detail' },
      { level: 'error', message: 'request failed', status, error: { message: error.message } },
    ]);
  });
});
