import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTimeZone, startOfDay, wallClock } from '../../../src/lib/reports/time-zone.ts';

const iso = (epochMs: number) => new Date(epochMs).toISOString();

describe('a time zone', () => {
  it.each(['UTC', 'Europe/Warsaw', 'europe/warsaw', 'Etc/GMT+5', 'America/Argentina/Buenos_Aires'])(
    'is %s',
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );

  it.each(['', '+01:00', '-05', 'Mars/Olympus', 'Europe/Warsaw ', '2026'])('is not %j', (name) => {
    expect(isTimeZone(name)).toBe(false);
  });
});

describe('the start of a day', () => {
  it.each([
    ['an ordinary day', '2026-01-15', 'Europe/Warsaw', '2026-01-14T23:00:00.000Z'],
    ['an ordinary day west of UTC', '2026-07-15', 'America/New_York', '2026-07-15T04:00:00.000Z'],
    ['an offset of quarter hours', '2026-01-15', 'Asia/Kathmandu', '2026-01-14T18:15:00.000Z'],
    ['the day clocks go forward at 02:00', '2026-03-29', 'Europe/Warsaw', '2026-03-28T23:00:00.000Z'],
    ['the day after clocks went forward', '2026-03-30', 'Europe/Warsaw', '2026-03-29T22:00:00.000Z'],
    ['a day without a midnight', '2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    [
      'the day after clocks went back to 23:00',
      '2018-02-18',
      'America/Sao_Paulo',
      '2018-02-18T03:00:00.000Z',
    ],
    ['a day with two midnights', '2026-11-01', 'America/Havana', '2026-11-01T04:00:00.000Z'],
    [
      'a midnight that is passed again from 00:01',
      '2010-11-07',
      'America/St_Johns',
      '2010-11-07T02:30:00.000Z',
    ],
    ['a day that never was', '2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
    ['a local mean time with seconds', '1880-01-01', 'America/New_York', '1880-01-01T04:56:02.000Z'],
    ['a year of the first century', '0050-06-01', 'UTC', '0050-06-01T00:00:00.000Z'],
  ])('is right for %s', (_what, date, timeZone, expected) => {
    expect(iso(startOfDay(date, timeZone))).toBe(expected);
  });

  const zones = Intl.supportedValuesOf('timeZone');
  const days = fc.date({
    min: new Date('1970-01-01T00:00:00Z'),
    max: new Date('2040-01-01T00:00:00Z'),
    noInvalidDate: true,
  });

  it('is the first moment whose clock shows that day, or a later one where the day never was', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), days, (timeZone, day) => {
        const date = iso(day.getTime()).slice(0, 10);

        const start = startOfDay(date, timeZone);

        expect(wallClock(start, timeZone) >= `${date}T00:00:00`).toBe(true);
        expect(wallClock(start - 1, timeZone).slice(0, 10) < date).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('ascends with the days', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), days, (timeZone, day) => {
        const date = iso(day.getTime()).slice(0, 10);
        const nextDate = iso(Date.parse(date) + 86_400_000).slice(0, 10);

        const length = startOfDay(nextDate, timeZone) - startOfDay(date, timeZone);

        expect(length).toBeGreaterThanOrEqual(0);
        expect(length).toBeLessThanOrEqual(49 * 3_600_000);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a wall clock', () => {
  it('shows the local time', () => {
    expect(wallClock(Date.parse('2026-07-01T22:30:15.250Z'), 'Europe/Warsaw')).toBe('2026-07-02T00:30:15');
  });
});
