import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BlockTarget, uploadBlocks } from '../../../src/lib/storage/block-upload.ts';

const { signal } = new AbortController();
const blockBytes = 16;

/** Keeps what it is sent, and takes its time with blocks, out of order. */
function slowTarget() {
  const blocks: Buffer[] = [];
  const seen = { most: 0, whole: false, buffers: new Set<ArrayBufferLike>() };
  let sending = 0;
  const target: BlockTarget<Buffer> = {
    async putWhole(bytes) {
      seen.whole = true;
      return Buffer.from(bytes);
    },
    async stage(index, bytes) {
      seen.most = Math.max(seen.most, ++sending);
      seen.buffers.add(bytes.buffer);
      // Read only at the end: a buffer that was used again too early shows.
      for (let turn = 0; turn < (index % 3) + 1; turn++)
        await new Promise((resolve) => setImmediate(resolve));
      blocks[index] = Buffer.from(bytes);
      sending--;
    },
    async commit(count, sizeBytes) {
      const content = Buffer.concat(blocks);
      expect([count, sizeBytes]).toEqual([blocks.length, content.length]);
      return content;
    },
  };
  return { target, seen };
}

const chunks = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 });

describe('uploadBlocks', () => {
  it('puts the same bytes together, however they come, out of a fixed set of buffers', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 4 }), async (parts, concurrency) => {
        const { target, seen } = slowTarget();
        const source = Readable.from(parts.filter((part) => part.length > 0));

        const stored = await uploadBlocks(source, target, { signal, blockBytes, concurrency });

        const expected = Buffer.concat(parts);
        expect(stored.equals(expected)).toBe(true);
        expect(seen.whole).toBe(expected.length <= blockBytes);
        expect(seen.most).toBeLessThanOrEqual(concurrency);
        expect(seen.buffers.size).toBeLessThanOrEqual(concurrency);
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 1, 15, 16])('puts %i bytes at once', async (sizeBytes) => {
    const fromBytes = slowTarget();
    const fromStream = slowTarget();
    const bytes = Buffer.alloc(sizeBytes, 'x');

    await uploadBlocks(bytes, fromBytes.target, { signal, blockBytes });
    await uploadBlocks(Readable.from([bytes]), fromStream.target, { signal, blockBytes });

    expect([fromBytes.seen.whole, fromStream.seen.whole]).toEqual([true, true]);
  });

  it('takes bytes larger than a block, and a view into a larger buffer', async () => {
    const large = Buffer.alloc(100, 'abcdefg');

    const stored = await uploadBlocks(large.subarray(10, 90), slowTarget().target, { signal, blockBytes });
    const small = await uploadBlocks(large.subarray(10, 20), slowTarget().target, { signal, blockBytes });

    expect(stored.equals(large.subarray(10, 90))).toBe(true);
    expect(small.equals(large.subarray(10, 20))).toBe(true);
  });

  it('refuses text, whose length is not its size', async () => {
    const source = Readable.from(['täxt']);

    await expect(uploadBlocks(source, slowTarget().target, { signal, blockBytes })).rejects.toThrow(
      TypeError,
    );

    expect(source.destroyed).toBe(true);
  });

  it('throws the error of the first block that failed, after the others have ended', async () => {
    const running = new Set<number>();
    const target: BlockTarget<void> = {
      putWhole: async () => {},
      commit: async () => {},
      async stage(index, _, within) {
        running.add(index);
        if (!within.aborted && index !== 1)
          await new Promise((resolve) => within.addEventListener('abort', resolve));
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
        running.delete(index);
        throw index === 1 ? new Error('block 1 is lost') : within.reason;
      },
    };
    const source = Readable.from([Buffer.alloc(200)]);

    await expect(uploadBlocks(source, target, { signal, blockBytes })).rejects.toThrow('block 1 is lost');

    expect(running.size).toBe(0);
    expect(source.destroyed).toBe(true);
  });

  it('does not wait for a source that has stalled when a block fails', async () => {
    const { target } = slowTarget();
    const failing = { ...target, stage: () => Promise.reject(new Error('no room')) };
    const source = new Readable({ read() {} });
    source.push(Buffer.alloc(blockBytes + 1));

    await expect(uploadBlocks(source, failing, { signal, blockBytes })).rejects.toThrow('no room');

    expect(source.destroyed).toBe(true);
  });

  it('destroys a source that nobody listens to without ending the process', async () => {
    const source = new Readable({ read() {} });
    const aborted = AbortSignal.abort(new Error('over'));

    await expect(uploadBlocks(source, slowTarget().target, { signal: aborted, blockBytes })).rejects.toThrow(
      'over',
    );
    await new Promise((resolve) => setImmediate(resolve));

    expect(source.destroyed).toBe(true);
  });

  it('leaves no listener on the signal', async () => {
    const abort = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = abort.signal;
    abort.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(abort.signal, args);
    };
    abort.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(abort.signal, args);
    };

    await uploadBlocks(Readable.from([Buffer.alloc(100)]), slowTarget().target, {
      signal: abort.signal,
      blockBytes,
    });

    expect(listeners).toBe(0);
  });
});
