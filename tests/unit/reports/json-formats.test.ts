import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json } from '../../../src/lib/reports/formats/json.ts';
import { ndjson } from '../../../src/lib/reports/formats/ndjson.ts';
import { batches, batchesOf, columns, document, rowOf, textOf } from './samples.ts';

const encodeLines = (...rows: Parameters<typeof batchesOf>) =>
  textOf(ndjson.encode(batchesOf(...rows), document));
const encodeJson = (...rows: Parameters<typeof batchesOf>) =>
  textOf(json.encode(batchesOf(...rows), document));
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('NDJSON', () => {
  it('has one compact object a row, keys in the order of the columns, and a summary', async () => {
    const shuffled = { done: false, amount: 7, note: null, at: null, other: 'not asked for' };

    const text = await encodeLines([rowOf('zażółć "🙂"\n')], [shuffled]);

    const lines =
      '{"note":"zażółć \\"🙂\\"\\n","at":"2026-01-02T03:04:05.006Z","amount":-1.5,"done":true}\n' +
      '{"note":null,"at":null,"amount":7,"done":false}\n';
    expect(text).toBe(`${lines}{"summary":{"rows":2,"sha256":"${sha256(lines)}"}}\n`);
  });

  it('is a summary alone when there are no rows', async () => {
    expect(await encodeLines()).toBe(`{"summary":{"rows":0,"sha256":"${sha256('')}"}}\n`);
  });

  it('proves itself whole whatever the rows hold', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (rows) => {
        const lines = (await encodeLines(...rows)).split('\n');

        const end = lines.pop();
        const { summary } = JSON.parse(lines.pop() ?? '');
        expect(end).toBe('');
        expect(summary).toEqual({
          rows: rows.flat().length,
          sha256: sha256(lines.map((line) => `${line}\n`).join('')),
        });
        expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(rows.flat())));
      }),
    );
  });

  it('refuses a row that lacks a column, rather than to write something else', async () => {
    await expect(encodeLines([{ note: 'a' }])).rejects.toThrow('no column at');
  });
});

describe('JSON', () => {
  it('has report, parameters, data and summary in this order', async () => {
    const text = await encodeJson([rowOf('a')]);

    expect(Object.keys(JSON.parse(text))).toEqual(['report', 'parameters', 'data', 'summary']);
    expect(JSON.parse(text)).toMatchObject({
      report: 'sample',
      parameters: document.parameters,
      data: [{ note: 'a', at: '2026-01-02T03:04:05.006Z', amount: -1.5, done: true }],
    });
  });

  it('holds the rows and the hash of the NDJSON, to the letter', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (rows) => {
        const lines = (await encodeLines(...rows)).split('\n').slice(0, -1);
        const whole = await encodeJson(...rows);

        const { summary } = JSON.parse(lines.pop() ?? '');
        expect(whole).toContain(`"data":[${lines.join(',')}],"summary":${JSON.stringify(summary)}}`);
        expect(JSON.parse(whole).data).toHaveLength(rows.flat().length);
      }),
    );
  });

  it('is one document however many pieces it takes', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => rowOf(`row ${index}`));

    const { data } = JSON.parse(await encodeJson(many));

    expect(data.map((row: { note: string }) => row.note)).toEqual(many.map((row) => row['note']));
  });

  it('has keys in the order of the columns', async () => {
    const { data } = JSON.parse(await encodeJson([{ done: null, note: null, amount: null, at: null }]));

    expect(Object.keys(data[0])).toEqual(columns.map(({ name }) => name));
  });
});
