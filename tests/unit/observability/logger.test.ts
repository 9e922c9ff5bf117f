import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createLogger,
  type LogFields,
  type LogLevel,
  nameResource,
  runInContext,
} from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function setUp(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const logger = createLogger({
    clock: fakeClock({ startAt: Date.UTC(2026, 1, 3, 4, 5, 6, 7) }),
    level,
    write: (line) => lines.push(line),
  });
  return { logger, lines, entries: () => lines.map((line) => JSON.parse(line)) };
}

/** What a value has become in a log line. */
function logged(value: unknown): unknown {
  const { logger, entries } = setUp();
  logger.info('a value', { value });
  return entries()[0].value;
}

describe('createLogger', () => {
  it('writes one JSON line with time, level, module and fields', () => {
    const { logger, lines, entries } = setUp();

    logger.child('files').warning('upload is slow', { duration_ms: 5_000 });

    expect(entries()).toEqual([
      {
        timestamp: '2026-02-03T04:05:06.007Z',
        level: 'warning',
        logger: 'crownsafe',
        message: 'upload is slow',
        module: 'files',
        duration_ms: 5_000,
      },
    ]);
    expect(lines[0]).not.toContain('\n');
  });

  it('leaves out what is less severe than its level', () => {
    const { logger, entries } = setUp('warning');

    for (const level of ['debug', 'info', 'warning', 'error'] as const) logger[level](level);

    expect(entries().map(({ message }) => message)).toEqual(['warning', 'error']);
  });

  it('lets no field stand for what the line itself says', () => {
    const { logger, entries } = setUp();

    logger.error('the truth', {
      level: 'debug',
      message: 'a lie',
      timestamp: 0,
      module: 'other',
      logger: 'x',
    });

    expect(entries()[0]).toMatchObject({
      level: 'error',
      message: 'the truth',
      module: 'app',
      logger: 'crownsafe',
    });
  });

  it('writes newlines of messages and fields as part of its one line', () => {
    const { logger, lines } = setUp();

    logger.info('first\nsecond', { text: 'a\r\nb\u2028c' });

    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/[\n\r]/);
  });
});

describe('the place in a line', () => {
  it('is where its error was made', () => {
    const { logger, entries } = setUp();

    logger.error('it failed', { error: new Error('here') });

    expect(entries()[0]['line']).toMatch(/^logger\.test\.ts:\d+$/);
  });

  it.each<[string, unknown, string | undefined]>([
    [
      'a function in a bundle',
      'Error: x\n    at upload (file:///home/site/wwwroot/chunk-A1.js:12:5)',
      'chunk-A1.js:12',
    ],
    ['an anonymous function', 'Error: x\n    at file:///app/index.js:7:9', 'index.js:7'],
    ['a file on Windows', 'Error: x\n    at async f (C:\\app\\a.ts:3:1)', 'a.ts:3'],
    [
      'the first frame in a file',
      'Error: x\n    at node:internal/timers:5:1\n    at new Promise (<anonymous>)\n    at f (/app/b.mjs:3:1)',
      'b.mjs:3',
    ],
    ['a message that reads like a frame', 'Error: meet me at the bar.js:3:1', undefined],
    ['no stack', '', undefined],
    ['a stack that is none', 42, undefined],
  ])('is found for %s', (_, stack, line) => {
    const { logger, entries } = setUp();

    logger.error('it failed', { error: Object.assign(new Error('x'), { stack }) });

    expect(entries()[0]['line']).toBe(line);
  });

  it('is not known of a line without error', () => {
    const { logger, entries } = setUp();

    logger.info('done');
    logger.error('failed', { error: 'text' });

    expect(entries().map(({ line }) => line)).toEqual([undefined, undefined]);
  });
});

describe('createLogger within an invocation', () => {
  const context = () => ({
    correlationId: 'correlation-1',
    functionName: 'files-get',
    requestId: 'request-1',
    platform: [] as [LogLevel, string][],
  });

  it('names the invocation in every line and writes to the log of the platform', async () => {
    const { logger, lines } = setUp();
    const { platform, ...facts } = context();

    await runInContext({ ...facts, userId: 'key:1', write: (...line) => platform.push(line) }, async () => {
      await Promise.resolve();
      logger.info('deep inside');
    });

    expect(lines).toEqual([]);
    expect(platform.map(([level, line]) => [level, JSON.parse(line)])).toEqual([
      [
        'info',
        expect.objectContaining({
          message: 'deep inside',
          function: 'files-get',
          request_id: 'request-1',
          correlation_id: 'correlation-1',
          user_id: 'key:1',
        }),
      ],
    ]);
  });

  it('tells in every line what the invocation acts on, once that is known', () => {
    const { logger, entries } = setUp();

    runInContext({ ...context(), write: undefined }, () => {
      logger.info('before');
      nameResource('files', 'id-1');
      logger.info('after');
    });
    nameResource('files', 'id-2');
    logger.info('outside');

    expect(entries().map(({ resource }) => resource)).toEqual([undefined, 'files/id-1', undefined]);
  });

  it('bounds and redacts what it acts on', () => {
    const { logger, entries } = setUp();

    runInContext({ ...context(), write: undefined }, () => {
      nameResource('files', 'x'.repeat(1_000));
      logger.info('long');
      nameResource('keys', `csk_0123456789abcdef_${'s'.repeat(43)}`);
      logger.info('secret');
    });

    expect(entries()[0].resource).toHaveLength(200);
    expect(entries()[1].resource).toBe('keys/csk_0123456789abcdef_[redacted]');
  });

  it('writes by itself once the invocation has ended', () => {
    const { logger, entries } = setUp();

    runInContext({ ...context(), write: undefined }, () => logger.info('afterwards'));

    expect(entries()).toEqual([expect.objectContaining({ message: 'afterwards', request_id: 'request-1' })]);
  });

  it('keeps invocations that run at once apart', async () => {
    const { logger, entries } = setUp();
    const work = async (requestId: string) => {
      await Promise.resolve();
      logger.info(requestId);
    };

    await Promise.all(
      ['one', 'two'].map((requestId) =>
        runInContext({ ...context(), requestId, write: undefined }, () => work(requestId)),
      ),
    );

    expect(entries().map(({ message, request_id }) => [message, request_id])).toEqual([
      ['one', 'one'],
      ['two', 'two'],
    ]);
  });
});

describe('a value in a log line', () => {
  it.each<[string, unknown, unknown]>([
    ['a bigint', 2n ** 64n, '18446744073709551616'],
    ['a symbol', Symbol('door'), 'Symbol(door)'],
    ['a function', () => 'its source is nobody’s business', '[function]'],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a date that is none', new Date(Number.NaN), 'Invalid Date'],
    ['bytes', Buffer.from('secret'), '[6 bytes]'],
    ['other bytes', new DataView(new ArrayBuffer(3)), '[3 bytes]'],
    ['nothing', null, null],
    ['a list', [1, 'two', true], [1, 'two', true]],
    ['a set', new Set([1, 'two']), [1, 'two']],
    [
      'a map',
      new Map<unknown, number>([
        ['one', 1],
        [2, 2],
      ]),
      { one: 1, 2: 2 },
    ],
  ])('is readable for %s', (_, value, expected) => {
    expect(logged(value)).toEqual(expected);
  });

  it('ends at a circle, and shows twice what is only there twice', () => {
    const shared = { name: 'shared' };
    const circular: Record<string, unknown> = { first: shared, second: shared };
    circular['self'] = circular;

    expect(logged(circular)).toEqual({ first: shared, second: shared, self: '[circular]' });
  });

  it('ends in the deep', () => {
    const deep = Array.from({ length: 100 }).reduce((inner) => ({ inner }), 'bottom');

    const text = JSON.stringify(logged(deep));

    expect(text).toContain('[too deep]');
    expect(text).not.toContain('bottom');
  });

  it('is cut where it is long, wide, or large as a whole', () => {
    const long = logged('x'.repeat(1_000_000)) as string;
    const list = logged(Array.from({ length: 1_000_000 }, () => 1)) as unknown[];
    const wide = logged(Object.fromEntries(Array.from({ length: 1_000 }, (_, key) => [key, 1]))) as object;
    const tree = JSON.stringify(logged(Array(100).fill(Array(100).fill(Array(100).fill('leaf')))));

    expect(long).toHaveLength(8_192);
    expect(list).toHaveLength(100);
    expect(Object.keys(wide)).toHaveLength(100);
    expect(tree).toContain('[too much]');
    expect(tree.length).toBeLessThan(400_000);
  });

  it('shows of an error its name, code, message, stack and causes, and nothing else', () => {
    class UpstreamError extends Error {
      override readonly name = 'UpstreamError' as const;
      readonly code = 'ECONNRESET';
      readonly request = { url: 'https://example.com' };
    }
    const error = new UpstreamError('the connection broke', { cause: new TypeError('no socket') });

    const shown = logged(error) as Record<string, unknown>;

    expect(shown).toEqual({
      name: 'UpstreamError',
      code: 'ECONNRESET',
      message: 'the connection broke',
      stack: expect.stringContaining('UpstreamError'),
      cause: { name: 'TypeError', message: 'no socket', stack: expect.any(String) },
    });
  });

  it('shows what an aggregate of errors is made of', () => {
    const refused = new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')], 'refused');

    const { errors } = logged(refused) as { errors: { message: string }[] };

    expect(errors.map(({ message }) => message)).toEqual(['::1 refused', '127.0.0.1 refused']);
  });

  it('ends at errors that cause one another', () => {
    const [first, second] = [new Error('first'), new Error('second')];
    first.cause = second;
    second.cause = first;

    expect(logged(first)).toMatchObject({ cause: { message: 'second', cause: '[circular]' } });
  });

  it('does not break the work when it cannot be read', () => {
    const unreadable = {
      get name(): string {
        throw new Error('not now');
      },
    };
    const { logger, entries } = setUp();

    logger.info('nested', { unreadable });
    logger.info('as a whole', unreadable as LogFields);

    expect(entries()).toMatchObject([
      { message: 'nested', unreadable: '[unreadable]' },
      { message: 'as a whole', fields: '[unreadable]' },
    ]);
  });

  it('is redacted by the name of its field, at any depth', () => {
    const value = { password: 'hunter2', nested: [{ 'x-api-key': 'hunter2', name: 'shown' }] };

    expect(logged(value)).toEqual({
      password: '[redacted]',
      nested: [{ 'x-api-key': '[redacted]', name: 'shown' }],
    });
  });

  it('is redacted in the names of its fields and in the code of an error', () => {
    const value = { 'password=hunter2': new Map([['Bearer hunter2hunter2', 1]]) };

    const shown = JSON.stringify([
      logged(value),
      logged(Object.assign(new Error('x'), { code: 'pwd=hunter2' })),
    ]);

    expect(shown).not.toContain('hunter2');
  });

  it('is redacted where a secret is cut in two by its length', () => {
    const text = `${'x'.repeat(8_150)} postgresql://app:hunter2-and-much-more-of-it-beyond-the-cut@127.0.0.1/db`;

    expect(logged(text)).not.toContain('hunter2');
  });

  it('never breaks the line, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
        (value) => {
          const { logger, lines } = setUp();

          logger.info('anything', { value });

          expect(JSON.parse(lines[0] ?? '')).toMatchObject({ message: 'anything' });
        },
      ),
    );
  });
});
