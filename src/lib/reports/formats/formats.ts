import * as z from 'zod';
import { csv } from './csv.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';
import { ndjson } from './ndjson.ts';

/** All formats by the name the API knows them by; the order is that of preference. */
export const formats = { json, ndjson, csv } as const satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;

/** The parameters by which a format is adjusted; the formats they do not concern ignore them. */
export const formatParameters = {
  escape_formulas: z
    .enum(['true', 'false'])
    .default('true')
    .describe("CSV: put a ' before texts that a spreadsheet would run as a formula"),
  trailer: z.literal('row').optional().describe('CSV: end with a record #summary,<rows>,<sha256>'),
};

/** Chooses among the formats of a report by the `Accept` header; the first one when that names none of them. */
export function negotiateFormat(available: readonly FormatName[], accept = '*/*'): FormatName {
  const ranges = parseAccept(accept);
  let best: { name: FormatName; quality: number } = { name: available[0] ?? 'json', quality: 0 };
  for (const name of available) {
    const quality = qualityOf(formats[name].contentType, ranges);
    if (quality > best.quality) best = { name, quality };
  }
  return best.name;
}

/** Media ranges of an `Accept` header with their qualities; parameters of a range are not told apart. */
function parseAccept(accept: string): ReadonlyMap<string, number> {
  return new Map(
    accept.split(',').map((element) => {
      const [range = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
      return [range, Number(quality) || 0];
    }),
  );
}

/** The most specific range counts (RFC 9110, section 12.5.1). */
function qualityOf(contentType: string, ranges: ReadonlyMap<string, number>): number {
  const [mediaType = ''] = contentType.split(';');
  const [type] = mediaType.split('/');
  return ranges.get(mediaType) ?? ranges.get(`${type}/*`) ?? ranges.get('*/*') ?? 0;
}
