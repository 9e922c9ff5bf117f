import * as z from 'zod';
import { AppError } from '../core/index.ts';
import { allows, type Caller } from '../security/index.ts';
import { type FormatName, formatParameters, formats } from './formats/formats.ts';
import type { Report } from './report.ts';
import { columnTypes } from './rows.ts';
import { uploadActivity } from './upload-activity.ts';

/** All reports of this version. */
export const reports: readonly Report[] = [uploadActivity];

/** The catalogue as the API shows it. */
export const reportListShape = z.strictObject({
  data: z.array(
    z.strictObject({
      name: z.string(),
      title: z.string(),
      description: z.string(),
      grain: z.string(),
      columns: z.array(
        z.strictObject({ name: z.string(), type: z.enum(columnTypes), unit: z.string().optional() }),
      ),
      parameters: z.record(z.string(), z.unknown()).describe('JSON Schema'),
      formats: z.array(z.enum(Object.keys(formats) as [FormatName, ...FormatName[]])),
    }),
  ),
});

export type ReportList = z.input<typeof reportListShape>;

/** Describes the reports a caller may run. */
export function describeReports(known: readonly Report[], caller: Caller): ReportList {
  const runnable = known.filter(({ scope }) => allows(caller, scope));
  return {
    data: runnable.map(({ name, title, description, grain, columns, parameters, formats }) => ({
      name,
      title,
      description,
      grain,
      columns: [...columns],
      parameters: z.toJSONSchema(parameters.extend(formatParameters), { io: 'input' }),
      formats: [...formats],
    })),
  };
}

/** @throws AppError `not_found` for a name that is not known, `forbidden` for a report the caller may not run */
export function findReport(known: readonly Report[], caller: Caller, name: string): Report {
  const report = known.find((candidate) => candidate.name === name);
  if (!report) throw new AppError('not_found', 'There is no such report');
  if (!allows(caller, report.scope)) throw new AppError('forbidden', `The scope ${report.scope} is required`);
  return report;
}
