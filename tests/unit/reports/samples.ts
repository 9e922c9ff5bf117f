import fc from 'fast-check';
import type { ReportDocument } from '../../../src/lib/reports/formats/format.ts';
import type { Column, Row } from '../../../src/lib/reports/rows.ts';

export const columns: readonly Column[] = [
  { name: 'note', type: 'string' },
  { name: 'at', type: 'timestamp' },
  { name: 'amount', type: 'number' },
  { name: 'done', type: 'boolean' },
];

export const document: ReportDocument = {
  report: 'sample',
  columns,
  parameters: { tz: 'UTC', from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z' },
  escapeFormulas: true,
  trailer: false,
};

/** A row with the given note. */
export function rowOf(note: string | null): Row {
  return { note, at: new Date('2026-01-02T03:04:05.006Z'), amount: -1.5, done: true };
}

/** Rows in batches, as the database gives them. */
export async function* batchesOf(...batches: Row[][]): AsyncGenerator<readonly Row[]> {
  yield* batches;
}

/** Texts as PostgreSQL can hold them, with all that makes trouble likelier than chance. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('"', ',', '\r', '\n', '=', '+', '-', '@', '\t', "'", ' ', '#', '\u2028', 'ż', '🙂'),
    maxLength: 8,
  }),
);

/** Rows with any cells, nulls among them. */
const rows: fc.Arbitrary<Row> = fc.record({
  note: fc.option(texts),
  at: fc.option(
    fc.date({
      min: new Date('1970-01-01T00:00:00Z'),
      max: new Date('2100-01-01T00:00:00Z'),
      noInvalidDate: true,
    }),
  ),
  amount: fc.option(fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
  done: fc.option(fc.boolean()),
});

/** Rows in any batches, empty ones among them. */
export const batches = fc.array(fc.array(rows, { maxLength: 5 }), { maxLength: 4 });

export async function piecesOf(source: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return pieces;
}

export async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await piecesOf(source)).toString();
}
