import type { Row, RowBatches } from '../rows.ts';

/** Size of the pieces an answer is sent in: large enough that the cost per piece does not count, small in memory. */
const groupChars = 64 * 1024;

/** Renders rows and gathers their lines into groups of about 64 KB; a group is never empty. */
export async function* groupLines(
  batches: RowBatches,
  toLine: (row: Row) => string,
): AsyncGenerator<readonly string[]> {
  let lines: string[] = [];
  let chars = 0;
  for await (const batch of batches) {
    for (const row of batch) {
      const line = toLine(row);
      lines.push(line);
      chars += line.length;
      if (chars < groupChars) continue;
      yield lines;
      lines = [];
      chars = 0;
    }
  }
  if (lines.length > 0) yield lines;
}
