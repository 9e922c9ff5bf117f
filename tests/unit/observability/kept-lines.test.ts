import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  createLogger,
  type InvocationContext,
  type LogFields,
  type LogLevel,
  runInContext,
  writeKeptLines,
} from '../../../src/lib/observability/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

type Entry = Readonly<Record<string, unknown>>;

function setUp(level: LogLevel = 'info') {
  const lines: string[] = [];
  const clock = fakeClock({ startAt: Date.UTC(2026, 1, 3, 4, 5, 6, 0) });
  const logger = createLogger({ clock, level, write: (line) => lines.push(line) });
  const entries = (): Entry[] => lines.map((line) => JSON.parse(line));
  return { logger, clock, lines, entries, messages: () => entries().map(({ message }) => message) };
}

function newContext(requestId = 'request-1'): InvocationContext {
  return { correlationId: 'correlation-1', functionName: 'files-get', requestId, write: undefined };
}

/** Logs one debug line with these fields, lets something happen, and shows what is written when the invocation fails. */
function keptOf(fields: LogFields, meanwhile = () => {}): Entry {
  const { logger, entries } = setUp();
  runInContext(newContext(), () => {
    logger.debug('a detail', fields);
    meanwhile();
    writeKeptLines();
  });
  return entries()[0] ?? {};
}

describe('a line below the level of the log', () => {
  it('is written when its invocation fails: before the line of the failure, in order, with its own time', async () => {
    const { logger, clock, entries } = setUp();

    await runInContext(newContext(), async () => {
      logger.child('storage').debug('first', { attempt: 1 });
      await clock.advance(1_500);
      logger.debug('second');
      await clock.advance(1_500);
      writeKeptLines();
      logger.error('request failed');
    });

    expect(entries()).toEqual([
      expect.objectContaining({
        timestamp: '2026-02-03T04:05:06.000Z',
        level: 'debug',
        module: 'storage',
        message: 'first',
        attempt: 1,
        request_id: 'request-1',
        correlation_id: 'correlation-1',
      }),
      expect.objectContaining({ timestamp: '2026-02-03T04:05:07.500Z', message: 'second' }),
      expect.objectContaining({ timestamp: '2026-02-03T04:05:09.000Z', message: 'request failed' }),
    ]);
  });

  it('is forgotten when its invocation succeeds', () => {
    const { logger, messages } = setUp();

    runInContext(newContext(), () => {
      logger.debug('a detail');
      logger.info('request answered');
    });
    runInContext(newContext(), () => writeKeptLines());

    expect(messages()).toEqual(['request answered']);
  });

  it('is written once, and what comes later is kept anew', () => {
    const { logger, messages } = setUp();

    runInContext(newContext(), () => {
      logger.debug('early');
      writeKeptLines();
      writeKeptLines();
      logger.debug('late');
      writeKeptLines();
    });

    expect(messages()).toEqual(['early', 'late']);
  });

  it('is kept whatever the level, and written at once by a log of its level', () => {
    const quiet = setUp('error');
    const loud = setUp('debug');

    for (const { logger } of [quiet, loud])
      runInContext(newContext(), () => {
        logger.info('an info');
        logger.warning('a warning');
        writeKeptLines();
      });

    expect([quiet.messages(), loud.messages()]).toEqual([
      ['an info', 'a warning'],
      ['an info', 'a warning'],
    ]);
  });

  it('is nothing outside of an invocation', () => {
    const { logger, lines } = setUp();

    logger.debug('a detail');
    writeKeptLines();

    expect(lines).toEqual([]);
  });

  it('stays with its invocation when several run at once', async () => {
    const { logger, entries } = setUp();
    const work = async (fails: boolean) => {
      for (const step of [1, 2, 3]) {
        logger.debug('a step', { step });
        await Promise.resolve();
      }
      if (fails) writeKeptLines();
    };

    await Promise.all(
      [...Array(20).keys()].map((index) =>
        runInContext(newContext(`request-${index}`), () => work(index === 7)),
      ),
    );

    expect(entries().map(({ request_id, step }) => [request_id, step])).toEqual([
      ['request-7', 1],
      ['request-7', 2],
      ['request-7', 3],
    ]);
  });

  it('goes to the log of the platform while that takes lines', () => {
    const { logger, lines } = setUp();
    const platform: [LogLevel, string][] = [];

    runInContext({ ...newContext(), write: (...line) => platform.push(line) }, () => {
      logger.debug('a detail');
      writeKeptLines();
    });

    expect(lines).toEqual([]);
    expect(platform.map(([level, line]) => [level, JSON.parse(line).message])).toEqual([
      ['debug', 'a detail'],
    ]);
  });
});

describe('what is kept of an invocation', () => {
  it('is the newest hundred lines, and how many were dropped', () => {
    const { logger, entries } = setUp();

    runInContext(newContext(), () => {
      for (let step = 1; step <= 250; step++) logger.debug('a step', { step });
      writeKeptLines();
    });

    const steps = entries().map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: 100 }, (_, index) => 151 + index));
    expect(entries().map(({ dropped_lines }) => dropped_lines)).toEqual([150, ...Array(99).fill(undefined)]);
  });

  it.each<[string, () => LogFields]>([
    ['short texts', () => ({ text: 'x'.repeat(250), more: 'y'.repeat(250), other: 'z'.repeat(250) })],
    ['objects', () => ({ list: Array(50).fill('x'.repeat(100)) })],
  ])('is bounded in size for %s', (_, fields) => {
    const { logger, entries, lines } = setUp();

    runInContext(newContext(), () => {
      for (let step = 1; step <= 99; step++) logger.debug('a step', { step, ...fields() });
      writeKeptLines();
    });

    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThan(99);
    expect(lines.join('').length).toBeLessThan(2 * 65_536);
    expect(entries().at(-1)).toMatchObject({ step: 99 });
    expect(entries()[0]?.['dropped_lines']).toBe(99 - lines.length);
  });

  it('has the message in place of a line that would crowd out the others', () => {
    const { logger, entries } = setUp();

    runInContext(newContext(), () => {
      logger.debug('a step');
      logger.debug('a huge step', { text: 'x'.repeat(50_000), list: Array(100).fill('y'.repeat(1_000)) });
      logger.debug('z'.repeat(50_000));
      writeKeptLines();
    });

    expect(entries()).toMatchObject([
      { message: 'a step' },
      { message: 'a huge step', fields: '[too much to keep]' },
      { message: 'z'.repeat(256), fields: '[too much to keep]' },
    ]);
  });

  it.each<[string, () => LogFields]>([
    [
      'objects that hold little',
      () => ({
        list: Array(20)
          .fill(0)
          .map(() => Array(100).fill({})),
      }),
    ],
    [
      'values that are not printed',
      () => ({ work: Object.assign(() => {}, { held: Array(10_000).fill(1.5) }) }),
    ],
    ['a line that is too long', () => ({ list: Array(200).fill('x'.repeat(1_000)), error: new Error('x') })],
  ])('takes no more memory than it counts, with %s', (_, fields) => {
    const { logger } = setUp();
    const contexts = [...Array(20).keys()].map((index) => newContext(`request-${index}`));
    const bytesInUse = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };

    const before = bytesInUse();
    for (const context of contexts)
      runInContext(context, () => {
        for (let step = 1; step <= 100; step++) logger.debug('a step', fields());
      });
    const bytesEach = (bytesInUse() - before) / contexts.length;

    // 64 KiB of text, and what a hundred lines take beside it.
    expect(bytesEach).toBeLessThan(150_000);
    expect(contexts).toHaveLength(20);
  });
});

describe('a kept value', () => {
  it('is what it was when it was logged', () => {
    const fields: Record<string, unknown> = { status: 'pending', nested: { step: 1 } };

    const kept = keptOf(fields, () => {
      fields['status'] = 'available';
      (fields['nested'] as { step: number }).step = 2;
    });

    expect(kept).toMatchObject({ status: 'pending', nested: { step: 1 } });
  });

  it('is what it was also when all fields are plain', () => {
    const fields: Record<string, unknown> = { status: 'pending' };

    const kept = keptOf(fields, () => {
      fields['status'] = 'available';
    });

    expect(kept).toMatchObject({ status: 'pending' });
  });

  it('is redacted like any other', () => {
    const plain = keptOf({ password: 'hunter2', url: 'postgresql://app:hunter2@db/x' });
    const nested = keptOf({ nested: { password: 'hunter2' }, error: new Error('password=hunter2') });

    expect(JSON.stringify([plain, nested])).not.toContain('hunter2');
    expect(plain).toMatchObject({ password: '[redacted]', url: 'postgresql://app:[redacted]@db/x' });
  });

  it('is redacted before it is cut', () => {
    const { logger, lines } = setUp();
    const text = 'postgresql://app:hunter2@db/x';

    runInContext(newContext(), () => {
      for (let before = 200; before < 260; before++)
        logger.debug(`${'x'.repeat(before)} ${text}${' and more'.repeat(2_000)}`);
      writeKeptLines();
    });

    expect(lines).toHaveLength(60);
    expect(lines.join('')).not.toContain('hunter2');
  });

  it('does not break the work when it cannot be read', () => {
    const unreadable = {
      get step(): number {
        throw new Error('not now');
      },
    };

    expect(keptOf(unreadable)).toMatchObject({ message: 'a detail', fields: '[unreadable]' });
  });

  it('has the user and the resource that were known at the end', () => {
    const { logger, entries } = setUp();
    const context = newContext();

    runInContext(context, () => {
      logger.debug('before the credential was read');
      logger.debug('with a list', { list: [1] });
      context.userId = 'key:1';
      writeKeptLines();
    });

    expect(entries()).toMatchObject([{ user_id: 'key:1' }, { user_id: 'key:1', list: [1] }]);
  });
});
