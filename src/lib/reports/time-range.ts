import * as z from 'zod';
import { invalid } from '../http/index.ts';
import { isTimeZone, startOfDay } from './time-zone.ts';

const defaultLengthMs = 30 * 86_400_000;

const moment = z.union([z.iso.date(), z.iso.datetime({ offset: true }).max(40)], {
  error: 'must be a date or an RFC 3339 time (in an address + is written %2B)',
});

const zoneWords = 'is not a time zone of the IANA database';

/** The parameters every report takes. */
export const timeRangeParameters = {
  from: moment.optional().describe('First moment of the range; left out: 30 days before its end'),
  to: moment.optional().describe('End of the range, itself not in it; left out: now'),
  tz: z
    .string()
    .regex(/^[\w+/-]{1,64}$/, { error: zoneWords, abort: true })
    .refine(isTimeZone, zoneWords)
    .default('UTC')
    .describe('IANA time zone whose midnight a date means'),
};

/** A half-open range: `fromMs` lies in it, `toMs` does not; both in milliseconds since the epoch. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

interface RangeParameters {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly tz: string;
}

/**
 * Resolves checked parameters to moments.
 *
 * @throws AppError `validation_failed` when the range is empty
 */
export function resolveTimeRange({ from, to, tz }: RangeParameters, nowMs: number): TimeRange {
  const toMs = to === undefined ? nowMs : toMoment(to, tz);
  const fromMs = from === undefined ? toMs - defaultLengthMs : toMoment(from, tz);
  if (fromMs >= toMs) throw invalid([{ path: 'from', message: 'must be before to', code: 'empty_range' }]);
  return { fromMs, toMs };
}

/**
 * Times finer than a millisecond are rounded up: data has milliseconds, so the same rows lie on either side of the
 * next full one.
 */
function toMoment(text: string, timeZone: string): number {
  if (!text.includes('T')) return startOfDay(text, timeZone);
  const isFiner = /\.\d{3}\d*[1-9]/.test(text);
  return Date.parse(text) + (isFiner ? 1 : 0);
}
