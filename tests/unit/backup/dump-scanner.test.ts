import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanDump } from '../../../src/lib/backup/text/dump-scanner.ts';
import { cut, trickyDump, trickyTables } from './dumps.ts';

async function scan(chunks: readonly Buffer[]) {
  const passed: Buffer[] = [];
  const { stream, summary } = scanDump();
  stream.on('data', (chunk: Buffer) => passed.push(chunk));
  await pipeline(Readable.from(chunks), stream);
  return { passed: Buffer.concat(passed), ...summary() };
}

describe('the scanner of dumps', () => {
  it('is not fooled by what looks like data or like statements', async () => {
    const { passed, ...summary } = await scan([Buffer.from(trickyDump)]);

    expect(passed.toString()).toBe(trickyDump);
    expect(summary).toEqual({
      tables: trickyTables,
      isComplete: true,
      sizeBytes: Buffer.byteLength(trickyDump),
      serverVersion: '18.4',
      pgDumpVersion: '18.3',
    });
  });

  it('sees the same however the dump is cut', async () => {
    const sizeBytes = Buffer.byteLength(trickyDump);
    const whole = await scan([Buffer.from(trickyDump)]);

    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(sizeBytes), { maxLength: 40 }), async (places) => {
        expect(await scan(cut(trickyDump, places))).toEqual(whole);
      }),
    );
  });

  it('sees the same byte by byte', async () => {
    const bytes = Buffer.from(trickyDump);

    const scanned = await scan(Array.from(bytes, (byte) => Buffer.of(byte)));

    expect(scanned.tables).toEqual(trickyTables);
    expect(scanned.isComplete).toBe(true);
  });

  it('calls no dump complete that was cut off, wherever', async () => {
    const closingLine = '\n-- PostgreSQL database dump complete\n';
    const lastByte = Buffer.from(trickyDump).lastIndexOf(closingLine) + closingLine.length;

    await fc.assert(
      fc.asyncProperty(fc.nat(lastByte - 1), async (sizeBytes) => {
        expect((await scan([Buffer.from(trickyDump).subarray(0, sizeBytes)])).isComplete).toBe(false);
      }),
      { examples: [[lastByte - 1]] },
    );
  });

  it('calls no dump complete that goes on behind its closing line', async () => {
    expect((await scan([Buffer.from(`${trickyDump}SELECT 1;\n`)])).isComplete).toBe(false);
  });

  it('reads over a statement of any length', async () => {
    const long = `SELECT pg_catalog.lowrite(0, '\\x${'ab'.repeat(1_000_000)}');\n`;

    const { tables, isComplete } = await scan(cut(long + trickyDump, [100_000, 1_500_000]));

    expect(tables).toEqual(trickyTables);
    expect(isComplete).toBe(true);
  });
});
