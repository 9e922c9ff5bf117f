import type { RowBatches } from '../rows.ts';
import type { Format, ReportDocument } from './format.ts';
import { jsonLine } from './json-line.ts';
import { groupLines } from './line-groups.ts';
import { startTally } from './tally.ts';

/** One JSON document with the rows of the NDJSON and the hash of its lines. */
export const json: Format = {
  contentType: 'application/json',
  isAttachment: false,
  async *encode(batches: RowBatches, { report, parameters, columns }: ReportDocument) {
    const tally = startTally();
    const opening = `{"report":${JSON.stringify(report)},"parameters":${JSON.stringify(parameters)},"data":[`;
    let before = opening;
    for await (const lines of groupLines(batches, jsonLine(columns))) {
      tally.add(`${lines.join('\n')}\n`, lines.length);
      yield Buffer.from(before + lines.join(','));
      before = ',';
    }
    const summary = tally.summary();
    yield Buffer.from(`${summary.rows === 0 ? opening : ''}],"summary":${JSON.stringify(summary)}}`);
  },
};
