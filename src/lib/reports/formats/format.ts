import type { Column, RowBatches } from '../rows.ts';

/** What is rendered, apart from its rows. */
export interface ReportDocument {
  /** Name of the report. */
  readonly report: string;
  readonly columns: readonly Column[];
  /** The report's parameters, defaults and moments resolved. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** CSV only: keep spreadsheets from running texts as formulas. */
  readonly escapeFormulas: boolean;
  /** CSV only: end with a record that proves the whole. */
  readonly trailer: boolean;
}

/** A way to write reports down. */
export interface Format {
  readonly contentType: string;
  /** True for what people save as a file. */
  readonly isAttachment: boolean;
  /** Renders in constant memory, in pieces of about 64 KB. A failure of the rows passes through. */
  encode(batches: RowBatches, document: ReportDocument): AsyncGenerator<Buffer>;
}
