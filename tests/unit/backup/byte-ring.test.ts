import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { allocateRing, openRingReader, openRingWriter } from '../../../src/lib/backup/engine/byte-ring.ts';

function openBoth() {
  const memory = allocateRing();
  return {
    writer: openRingWriter(memory),
    reader: openRingReader(memory),
    sizeBytes: memory.bytes.byteLength,
  };
}

/** Bytes that tell their place. */
function pattern(sizeBytes: number): Buffer {
  return Buffer.from(
    Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 31 + (index >> 8)) & 0xff),
  );
}

describe('the ring of bytes', () => {
  it('carries more than it holds, in order, past its own end', async () => {
    const { writer, reader, sizeBytes } = openBoth();
    const sent = pattern(3 * sizeBytes + 12_345);
    const received: Buffer[] = [];
    const target = Buffer.alloc(70_001);

    const writing = writer.write(sent).then(() => writer.end());
    for (let left = sent.length; left > 0; ) {
      // Lets the writer go on; this thread must not block on an empty ring that it fills itself.
      await setImmediate();
      if (reader.isEmpty()) continue;
      const size = reader.read(target);
      received.push(Buffer.from(target.subarray(0, size)));
      left -= size;
    }
    await writing;

    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  it('keeps a writer waiting while it is full', async () => {
    const { writer, reader, sizeBytes } = openBoth();
    let isWritten = false;
    await writer.write(Buffer.alloc(sizeBytes));

    const writing = writer.write(Buffer.from('more')).then(() => {
      isWritten = true;
    });
    await setImmediate();
    const wasWritten = isWritten;
    reader.read(Buffer.alloc(sizeBytes));
    await writing;

    expect(wasWritten).toBe(false);
    expect(reader.isEmpty()).toBe(false);
  });

  it('ends only behind the last byte', async () => {
    const { writer, reader } = openBoth();
    const target = Buffer.alloc(4);

    await writer.write(Buffer.from('last'));
    writer.end();

    expect(reader.read(target)).toBe(4);
    expect(target.toString()).toBe('last');
    expect(reader.read(target)).toBe(0);
    expect(reader.read(target)).toBe(0);
  });

  it('lets a waiting writer go when the reader is gone', async () => {
    const { writer, sizeBytes } = openBoth();
    await writer.write(Buffer.alloc(sizeBytes));
    const writing = writer.write(Buffer.from('for nobody'));

    writer.abandon();

    await expect(writing).resolves.toBeUndefined();
  });
});
