import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../../local/host/ncrontab.ts';

const next = (expression: string, after: string) =>
  new Date(parseSchedule(expression)(Date.parse(after))).toISOString().replace('.000Z', 'Z');

describe('a schedule', () => {
  it.each([
    ['*/5 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00Z'],
    ['*/5 * * * *', '2026-01-01T00:04:59.999Z', '2026-01-01T00:05:00Z'],
    ['0 */5 * * * *', '2026-01-01T00:58:00Z', '2026-01-01T01:00:00Z'],
    ['*/10 * * * * *', '2026-01-01T00:00:51Z', '2026-01-01T00:01:00Z'],
    ['0 30 2 * * *', '2026-12-31T02:30:00Z', '2027-01-01T02:30:00Z'],
    ['0 0 9 * * Mon-Fri', '2026-01-02T09:00:00Z', '2026-01-05T09:00:00Z'],
    ['0 0 9 * * 1-5', '2026-01-02T09:00:00Z', '2026-01-05T09:00:00Z'],
    ['0 0 0 1 1 *', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['0 0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 0 0 29 2 0', '2096-03-01T00:00:00Z', '2128-02-29T00:00:00Z'],
    ['0 0 0 31 * *', '2026-01-31T00:00:00Z', '2026-03-31T00:00:00Z'],
    ['15,45 3-9/3 0 * * *', '2026-01-01T00:03:15Z', '2026-01-01T00:03:45Z'],
    ['0 50/5 * * * *', '2026-01-01T00:56:00Z', '2026-01-01T01:50:00Z'],
    ['0 0 0 13 * 5', '2026-01-01T00:00:00Z', '2026-02-13T00:00:00Z'],
  ])('%s after %s is due at %s', (expression, after, due) => {
    expect(next(expression, after)).toBe(due);
  });

  it.each([
    '',
    '* * * *',
    '* * * * * * *',
    '60 * * * * *',
    '* * * 0 * *',
    '* * * * 13 *',
    '*/0 * * * *',
    '5-1 * * * *',
    'a * * * *',
    '1- * * * *',
    '1,,2 * * * *',
    '-1 * * * *',
    '1.5 * * * *',
    '00:05:00',
  ])('is not %j', (expression) => {
    expect(() => parseSchedule(expression)).toThrow('NCRONTAB');
  });

  it('is refused when its time never comes', () => {
    expect(() => next('0 0 0 30 2 *', '2026-01-01T00:00:00Z')).toThrow('never comes');
  });

  it('names the first matching second after any time, and none before', () => {
    const field = (low: number, high: number) =>
      fc.oneof(fc.constant('*'), fc.integer({ min: low, max: high }).map(String));
    const times = fc.integer({ min: 0, max: 4_000_000_000 }).map((second) => second * 1000 + 250);
    fc.assert(
      fc.property(field(0, 59), field(0, 59), field(0, 23), times, (second, minute, hour, after) => {
        const due = parseSchedule(`${second} ${minute} ${hour} * * *`)(after);

        const matches = (at: Date) =>
          [
            [second, at.getUTCSeconds()],
            [minute, at.getUTCMinutes()],
            [hour, at.getUTCHours()],
          ].every(([wanted, value]) => wanted === '*' || Number(wanted) === value);
        let expected = Math.ceil(after / 1000) * 1000;
        while (!matches(new Date(expected))) expected += 1000;
        expect(due).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });
});
