import { type Cell, type Column, cellOf, type Row } from '../rows.ts';

/** Makes the renderer of rows as compact JSON objects, keys in the order of the columns. */
export function jsonLine(columns: readonly Column[]): (row: Row) => string {
  const keys = columns.map(({ name }, index) => ({
    name,
    text: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
  }));
  return (row) => {
    let line = '';
    for (const { name, text } of keys) line += text + jsonCell(cellOf(row, name));
    return `${line}}`;
  };
}

function jsonCell(cell: Cell): string {
  return cell instanceof Date ? `"${cell.toISOString()}"` : JSON.stringify(cell);
}
