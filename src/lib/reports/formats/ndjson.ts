import type { RowBatches } from '../rows.ts';
import type { Format, ReportDocument } from './format.ts';
import { jsonLine } from './json-line.ts';
import { groupLines } from './line-groups.ts';
import { startTally } from './tally.ts';

/** One JSON object a line, and a last line that proves the whole: `{"summary":{"rows":…,"sha256":…}}`. */
export const ndjson: Format = {
  contentType: 'application/x-ndjson',
  isAttachment: false,
  async *encode(batches: RowBatches, { columns }: ReportDocument) {
    const tally = startTally();
    for await (const lines of groupLines(batches, jsonLine(columns))) {
      const text = `${lines.join('\n')}\n`;
      tally.add(text, lines.length);
      yield Buffer.from(text);
    }
    yield Buffer.from(`${JSON.stringify({ summary: tally.summary() })}\n`);
  },
};
