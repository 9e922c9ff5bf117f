import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { validate } from '../../../src/lib/http/index.ts';
import { resolveTimeRange, timeRangeParameters } from '../../../src/lib/reports/time-range.ts';

const now = Date.parse('2026-05-10T12:00:00.000Z');
const dayMs = 86_400_000;
const parameters = z.strictObject(timeRangeParameters);

function resolve(query: Record<string, string>) {
  const { fromMs, toMs } = resolveTimeRange(validate(parameters, query), now);
  return [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
}

describe('a time range', () => {
  it('is the last 30 days by default', () => {
    expect(resolve({})).toEqual(['2026-04-10T12:00:00.000Z', '2026-05-10T12:00:00.000Z']);
  });

  it('ends now when only its beginning is given', () => {
    expect(resolve({ from: '2026-01-01' })).toEqual(['2026-01-01T00:00:00.000Z', '2026-05-10T12:00:00.000Z']);
  });

  it('begins 30 days before its end when only that is given', () => {
    expect(resolve({ to: '2026-03-01' })).toEqual(['2026-01-30T00:00:00.000Z', '2026-03-01T00:00:00.000Z']);
  });

  it('takes dates as midnights in the time zone, also where the offset changes in between', () => {
    expect(resolve({ from: '2026-03-29', to: '2026-03-30', tz: 'Europe/Warsaw' })).toEqual([
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ]);
  });

  it('takes times with offsets, whatever the time zone', () => {
    expect(
      resolve({ from: '2026-01-01T00:00:00+02:00', to: '2026-01-01T00:00:00.5Z', tz: 'Asia/Tokyo' }),
    ).toEqual(['2025-12-31T22:00:00.000Z', '2026-01-01T00:00:00.500Z']);
  });

  it('rounds what is finer than a millisecond up', () => {
    expect(resolve({ from: '2026-01-01T00:00:00.1231Z', to: '2026-01-01T00:00:00.125000Z' })).toEqual([
      '2026-01-01T00:00:00.124Z',
      '2026-01-01T00:00:00.125Z',
    ]);
  });

  it.each([
    ['from', { from: '2026-02-30' }],
    ['from', { from: '2026-01-01T10:00:00' }],
    ['from', { from: '2026-01-01T00:00:00 01:00' }],
    ['from', { from: '' }],
    ['from', { from: 'yesterday' }],
    ['to', { to: '1767225600' }],
    ['tz', { tz: 'Mars/Olympus' }],
    ['tz', { tz: '+01:00' }],
    ['from', { from: '2026-02-01', to: '2026-02-01' }],
    ['from', { from: '2026-02-02', to: '2026-02-01' }],
    ['from', { from: '2030-01-01' }],
    ['from', { from: '2011-12-30', to: '2011-12-31', tz: 'Pacific/Apia' }],
  ])('is refused for its %s: %j', (path, query) => {
    expect(() => resolve(query)).toThrow(
      expect.objectContaining({ code: 'validation_failed', errors: [expect.objectContaining({ path })] }),
    );
  });

  const moments = fc
    .date({
      min: new Date('1990-01-01T00:00:00Z'),
      max: new Date('2100-01-01T00:00:00Z'),
      noInvalidDate: true,
    })
    .map((date) => date.getTime());

  it('reads any moment in any offset back as it is', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: -14 * 60, max: 14 * 60 }), (moment, offsetMinutes) => {
        const local = new Date(moment + offsetMinutes * 60_000).toISOString().replace('Z', '');
        const size = Math.abs(offsetMinutes);
        const twoDigits = (value: number) => String(value).padStart(2, '0');
        const offset = `${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;

        const [, to] = resolve({ to: `${local}${offset}` });

        expect(to).toBe(new Date(moment).toISOString());
      }),
    );
  });

  it('is never empty, and as long as asked for', () => {
    fc.assert(
      fc.property(moments, moments, (one, other) => {
        const iso = (epochMs: number) => new Date(epochMs).toISOString();
        fc.pre(one < other);

        expect(resolve({ from: iso(one), to: iso(other) })).toEqual([iso(one), iso(other)]);
        expect(() => resolve({ from: iso(other), to: iso(one) })).toThrow('from: must be before to');
        expect(resolve({ to: iso(other) })).toEqual([iso(other - 30 * dayMs), iso(other)]);
      }),
    );
  });
});
