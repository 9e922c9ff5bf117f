import * as z from 'zod';
import { validate } from '../http/index.ts';
import { type FormatName, formatParameters, negotiateFormat } from './formats/formats.ts';
import type { Report } from './report.ts';
import { resolveTimeRange, type TimeRange } from './time-range.ts';

/** A request for a report, checked and with its defaults. */
export interface CheckedRequest {
  readonly format: FormatName;
  readonly range: TimeRange;
  /** The report's own parameters, moments resolved. */
  readonly parameters: Readonly<Record<string, unknown>> & { readonly tz: string };
  readonly escapeFormulas: boolean;
  readonly trailer: boolean;
}

/**
 * Reads the query of a request by the declaration of the report.
 *
 * @param accept - the `Accept` header, which counts when the query names no format
 * @throws AppError `validation_failed`
 */
export function readRequest(
  report: Report,
  query: Readonly<Record<string, string>>,
  accept: string | undefined,
  nowMs: number,
): CheckedRequest {
  const shape = report.parameters.extend({ ...formatParameters, format: z.enum(report.formats).optional() });
  const { format, escape_formulas, trailer, ...parameters } = validate(shape, query);
  const range = resolveTimeRange(parameters, nowMs);
  return {
    format: format ?? negotiateFormat(report.formats, accept),
    range,
    parameters: {
      ...parameters,
      from: new Date(range.fromMs).toISOString(),
      to: new Date(range.toMs).toISOString(),
    },
    escapeFormulas: escape_formulas === 'true',
    trailer: trailer === 'row',
  };
}
