import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type FormatName, formats, negotiateFormat } from '../../../src/lib/reports/formats/formats.ts';
import type { Row } from '../../../src/lib/reports/rows.ts';
import { batchesOf, document, piecesOf, rowOf, textOf } from './samples.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

describe('the choice of a format', () => {
  it.each<[string | undefined, FormatName]>([
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['text/html', 'json'],
    ['text/csv', 'csv'],
    ['TEXT/CSV; charset=utf-8', 'csv'],
    ['text/*', 'csv'],
    ['application/*', 'json'],
    ['application/x-ndjson', 'ndjson'],
    ['application/json;q=0.5, application/x-ndjson;q=0.9', 'ndjson'],
    ['text/csv, */*;q=0.1', 'csv'],
    ['text/csv;q=0, */*;q=0.1', 'json'],
    ['application/json;q=0, */*;q=0.1', 'ndjson'],
    ['application/json;q=0', 'json'],
    ['text/csv;q=high, application/x-ndjson;q=0.1', 'ndjson'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'json'],
    [',;,/', 'json'],
  ])('for %j is %s', (accept, expected) => {
    expect(negotiateFormat(['json', 'ndjson', 'csv'], accept)).toBe(expected);
  });

  it('keeps to what the report has', () => {
    expect(negotiateFormat(['ndjson', 'csv'], 'application/json')).toBe('ndjson');
  });
});

const names = Object.keys(formats) as FormatName[];

describe.each(names)('%s', (name) => {
  it('writes many rows in pieces of about 64 KB, however they come', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => rowOf(`row ${index}`));
    const oneByOne = many.map((row) => [row]);

    const pieces = await piecesOf(formats[name].encode(batchesOf(many), document));
    const fromSingles = await piecesOf(formats[name].encode(batchesOf(...oneByOne), document));

    const sizes = pieces.map((piece) => piece.length);
    expect(Math.max(...sizes)).toBeLessThan(80 * 1024);
    expect(Math.min(...sizes.slice(0, -2))).toBeGreaterThan(60 * 1024);
    expect(fromSingles.map((piece) => piece.length)).toEqual(sizes);
  });

  it('passes a failure of the rows on instead of ending', async () => {
    const failing = async function* () {
      yield [rowOf('a')];
      throw new Error('lost');
    };

    await expect(textOf(formats[name].encode(failing(), document))).rejects.toThrow('lost');
  });

  it('holds no more than a few batches of 100,000 rows', async () => {
    const batches: WeakRef<readonly Row[]>[] = [];
    const alive: number[] = [];
    const source = async function* () {
      for (let batch = 0; batch < 100; batch += 1) {
        const rows = Array.from({ length: 1_000 }, (_, index) => rowOf(`row ${batch} ${index}`));
        batches.push(new WeakRef(rows));
        yield rows;
        if (batch % 10 !== 9) continue;
        // A WeakRef keeps its target until the next turn of the event loop.
        await setImmediate();
        collectGarbage();
        alive.push(batches.filter((reference) => reference.deref() !== undefined).length);
      }
    };

    for await (const _piece of formats[name].encode(source(), document));

    expect(alive).toHaveLength(10);
    expect(Math.max(...alive)).toBeLessThanOrEqual(3);
  });
});
