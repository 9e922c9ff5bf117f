import { type Cell, type Column, cellOf, type Row, type RowBatches } from '../rows.ts';
import type { Format, ReportDocument } from './format.ts';
import { groupLines } from './line-groups.ts';
import { startTally } from './tally.ts';

/** What makes quotes necessary (RFC 4180, section 2). */
const special = /[",\r\n]/;
/** What spreadsheets take for the beginning of a formula (OWASP, CSV injection). */
const formulaStart = /^[=+\-@\t\r]/;

/** RFC 4180 with a header; with `trailer`, a last record `#summary,<rows>,<sha256>` proves the whole. */
export const csv: Format = {
  contentType: 'text/csv; charset=utf-8',
  isAttachment: true,
  async *encode(batches: RowBatches, { columns, escapeFormulas, trailer }: ReportDocument) {
    const tally = startTally();
    let head = `${columns.map(({ name }) => quoted(name)).join(',')}\r\n`;
    for await (const lines of groupLines(batches, csvLine(columns, escapeFormulas))) {
      const text = head + lines.join('');
      head = '';
      tally.add(text, lines.length);
      yield Buffer.from(text);
    }
    tally.add(head, 0);
    const { rows, sha256 } = tally.summary();
    const end = trailer ? `${head}#summary,${rows},${sha256}\r\n` : head;
    if (end !== '') yield Buffer.from(end);
  },
};

/** Makes the renderer of rows as records, each with its line break. */
function csvLine(columns: readonly Column[], escapeFormulas: boolean): (row: Row) => string {
  const names = columns.map(({ name }) => name);
  return (row) => `${names.map((name) => csvCell(cellOf(row, name), escapeFormulas)).join(',')}\r\n`;
}

function csvCell(cell: Cell, escapeFormulas: boolean): string {
  if (cell === null) return '';
  if (cell instanceof Date) return cell.toISOString();
  if (typeof cell !== 'string') return String(cell);
  return quoted(escapeFormulas && formulaStart.test(cell) ? `'${cell}` : cell);
}

function quoted(text: string): string {
  return special.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
