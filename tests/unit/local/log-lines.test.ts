import { describe, expect, it } from 'vitest';
import { logPrinter } from '../../../local/log-lines.ts';

const entry = {
  timestamp: '2026-03-01T10:20:30.123Z',
  level: 'info',
  logger: 'crownsafe',
  message: 'File uploaded',
  module: 'files',
  request_id: 'r1',
  correlation_id: 'c1',
  user_id: null,
  size: 12,
  name: 'x'.repeat(100),
};

function printed(readable: boolean, level: string, message: string): string {
  const texts: string[] = [];
  logPrinter({ readable, write: (text) => texts.push(text) })(level, message);
  return texts.join('');
}

describe('log lines', () => {
  it('are short for people: time, level, message and the fields that say more', () => {
    expect(printed(true, 'information', JSON.stringify(entry))).toMatch(
      /^\d\d:\d\d:30 info {4}File uploaded {2}size=12 {2}name=x{80}…\n$/,
    );
  });

  it('show people the stack of an error, and of a warning only what it says', () => {
    const error = { name: 'AppError', message: 'gone', stack: 'AppError: gone\n    at here' };

    expect(printed(true, 'error', JSON.stringify({ ...entry, level: 'error', error }))).toMatch(
      /…\n {2}AppError: gone\n {6}at here\n$/,
    );
    expect(printed(true, 'warning', JSON.stringify({ ...entry, level: 'warning', error }))).toMatch(
      /…\n {2}AppError: gone\n$/,
    );
  });

  it('stay JSON for machines', () => {
    expect(JSON.parse(printed(false, 'information', JSON.stringify(entry)))).toEqual(entry);
  });

  it('of the host become JSON for machines, too', () => {
    expect(JSON.parse(printed(false, 'warning', 'The worker exited'))).toMatchObject({
      level: 'warning',
      logger: 'host',
      message: 'The worker exited',
    });
  });

  it('leave out what the host says of every invocation', () => {
    expect(printed(true, 'information', "Executing 'Functions.health'")).toBe('');
  });

  it('print what only looks like JSON as it is', () => {
    expect(printed(true, 'warning', '{ not JSON')).toMatch(/^\d\d:\d\d:\d\d warning { not JSON\n$/);
  });
});
