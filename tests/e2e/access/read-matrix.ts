import { readFileSync } from 'node:fs';
import { type Kind, kinds } from './callers.ts';

/** One row: which status each kind of caller gets. */
export interface MatrixRow {
  /** Name of the endpoint, and behind a comma what is special about the request. */
  readonly name: string;
  readonly expected: Readonly<Record<Kind, string>>;
}

/** Reads the table of matrix.md. @throws Error for a table whose columns are not the kinds of callers */
export function readMatrix(): MatrixRow[] {
  const text = readFileSync(new URL('matrix.md', import.meta.url), 'utf8');
  const [head = [], , ...rows] = text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  if (head.slice(1).join() !== kinds.join()) throw new Error('the columns are not the kinds of callers');
  return rows.map(([name = '', ...cells]) => ({
    name: name.replaceAll('`', ''),
    expected: Object.fromEntries(kinds.map((kind, index) => [kind, cells[index] ?? ''])) as Record<
      Kind,
      string
    >,
  }));
}
