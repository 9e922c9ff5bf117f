/** What a cell can hold; a Date is a timestamp. */
export type Cell = string | number | boolean | Date | null;

/** One row by column name. */
export type Row<Name extends string = string> = { readonly [column in Name]: Cell };

/** Rows as they come from the database, some at a time. */
export type RowBatches = AsyncIterable<readonly Row[]>;

export const columnTypes = ['string', 'integer', 'number', 'boolean', 'timestamp', 'uuid'] as const;

export interface Column<Name extends string = string> {
  readonly name: Name;
  readonly type: (typeof columnTypes)[number];
  readonly unit?: string;
}

/** The cell of a column. @throws Error for a row without it: a report's query that forgot one is a bug, not a null. */
export function cellOf(row: Row, column: string): Cell {
  const cell = row[column];
  if (cell === undefined) throw new Error(`The query gives no column ${column}`);
  return cell;
}
