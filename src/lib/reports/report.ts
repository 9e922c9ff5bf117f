import type * as z from 'zod';
import type { Db, Expression } from '../database/index.ts';
import type { Caller, Scope } from '../security/index.ts';
import type { FormatName } from './formats/formats.ts';
import type { Column, Row } from './rows.ts';
import type { TimeRange, timeRangeParameters } from './time-range.ts';

/** For whom and for when a report is made. */
export interface ReportRequest {
  readonly caller: Caller;
  readonly range: TimeRange;
}

/** The declaration of a report. Its entry in the catalogue, its validation and its rendering follow from it. */
export interface Report<Name extends string = string> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** What one row stands for, as one sentence. */
  readonly grain: string;
  readonly columns: readonly Column<Name>[];
  /** Columns by which rows ascend; together they are unique, so that the order is total. */
  readonly orderBy: readonly Name[];
  readonly parameters: z.ZodObject<typeof timeRangeParameters, z.core.$strict>;
  readonly formats: readonly FormatName[];
  /** Who may run it. */
  readonly scope: Scope;
  /** What to ask, without order or limit; gives at least the columns. */
  query(db: Db, request: ReportRequest): Expression<Row<Name>>;
}

/** Declares a report; that its query gives every column it names is checked when it is compiled. */
export function defineReport<const Name extends string>(report: Report<Name>): Report {
  // Outside the declaration nobody needs to know which names these are.
  return report as unknown as Report;
}
