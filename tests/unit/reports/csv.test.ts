import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csv } from '../../../src/lib/reports/formats/csv.ts';
import type { Cell } from '../../../src/lib/reports/rows.ts';
import { parseCsv } from './csv-parser.ts';
import { batches, batchesOf, columns, document, rowOf, textOf } from './samples.ts';

const encode = (overrides: Partial<typeof document>, ...rows: Parameters<typeof batchesOf>) =>
  textOf(csv.encode(batchesOf(...rows), { ...document, ...overrides }));

const plain = (cell: Cell | undefined) =>
  cell === null ? '' : cell instanceof Date ? cell.toISOString() : String(cell);

describe('CSV', () => {
  it('has a header, CRLF, and quotes only where they are needed', async () => {
    const text = await encode(
      {},
      [rowOf('a b'), rowOf('a,b'), rowOf('say "hi"'), rowOf('a\nb')],
      [rowOf(null)],
    );

    expect(text).toBe(
      [
        'note,at,amount,done\r\n',
        'a b,2026-01-02T03:04:05.006Z,-1.5,true\r\n',
        '"a,b",2026-01-02T03:04:05.006Z,-1.5,true\r\n',
        '"say ""hi""",2026-01-02T03:04:05.006Z,-1.5,true\r\n',
        '"a\nb",2026-01-02T03:04:05.006Z,-1.5,true\r\n',
        ',2026-01-02T03:04:05.006Z,-1.5,true\r\n',
      ].join(''),
    );
  });

  it.each(['=1+1', '+1', '-1', '@sum', '\tx', '\rx'])(
    'keeps %j from being run as a formula',
    async (note) => {
      const [, escaped] = parseCsv(await encode({}, [rowOf(note)]));
      const [, asItIs] = parseCsv(await encode({ escapeFormulas: false }, [rowOf(note)]));

      expect(escaped?.[0]).toBe(`'${note}`);
      expect(asItIs?.[0]).toBe(note);
    },
  );

  it.each(['a=1', "'=1", ' =1', '', '1+1'])('leaves %j alone, and numbers too', async (note) => {
    const [, record] = parseCsv(await encode({}, [rowOf(note)]));

    expect(record).toEqual([note, '2026-01-02T03:04:05.006Z', '-1.5', 'true']);
  });

  it('is a header alone when there are no rows', async () => {
    expect(await encode({})).toBe('note,at,amount,done\r\n');
  });

  it('has one header however many pieces it takes', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => rowOf(`row ${index}`));

    const records = parseCsv(await encode({}, many));

    expect(records.map(([note]) => note)).toEqual(['note', ...many.map((row) => row['note'])]);
  });

  it.each([[[]], [[[rowOf('a')], [rowOf('b')]]]])('proves itself whole with a trailer', async (rows) => {
    const text = await encode({ trailer: true }, ...rows);

    const start = text.lastIndexOf('#summary');
    const sha256 = createHash('sha256').update(text.slice(0, start)).digest('hex');
    expect(text.slice(start)).toBe(`#summary,${rows.length},${sha256}\r\n`);
  });

  it('gives every cell back through a reader of its own', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (rows) => {
        const [header, ...records] = parseCsv(await encode({ escapeFormulas: false }, ...rows));

        expect(header).toEqual(columns.map(({ name }) => name));
        expect(records).toEqual(rows.flat().map((row) => columns.map(({ name }) => plain(row[name]))));
      }),
    );
  });

  it('never begins a text cell like a formula, and changes nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (rows) => {
        const [, ...records] = parseCsv(await encode({}, ...rows));

        for (const [index, row] of rows.flat().entries()) {
          const note = records[index]?.[0] ?? 'missing';
          expect(note).not.toMatch(/^[=+\-@\t\r]/);
          expect([plain(row['note']), `'${plain(row['note'])}`]).toContain(note);
        }
      }),
    );
  });
});
