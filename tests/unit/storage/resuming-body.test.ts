import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resumingBody } from '../../../src/lib/storage/resuming-body.ts';

const { signal } = new AbortController();

/** An answer that breaks, or ends too early, after its bytes. */
function answerOf(bytes: Uint8Array, ending: 'end' | 'break'): Readable {
  return Readable.from(
    (async function* () {
      for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
      if (ending === 'break') throw new Error('connection lost');
    })(),
    { objectMode: false },
  );
}

describe('resumingBody', () => {
  it('gives every byte once and in its order, wherever the answers break', async () => {
    const cuts = fc.array(
      fc.record({ length: fc.integer({ min: 1, max: 60 }), ending: fc.constantFrom('end', 'break') }),
    );
    await fc.assert(
      fc.asyncProperty(cuts, fc.integer({ min: 0, max: 50 }), async (answers, from) => {
        const blob = Buffer.from(Array.from({ length: 200 }, (_, i) => i));
        const next = (offset: number) => {
          const { length = 200, ending = 'end' } = answers.shift() ?? {};
          return answerOf(blob.subarray(offset, offset + length), ending as 'end' | 'break');
        };

        const body = resumingBody({
          first: next(from),
          from,
          to: 200,
          open: async (offset) => next(offset),
          signal,
        });

        expect((await buffer(body)).equals(blob.subarray(from))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('passes on why an answer could not be resumed', async () => {
    const open = () => Promise.reject(new Error('the blob has changed'));

    const body = resumingBody({
      first: answerOf(Buffer.from('abc'), 'break'),
      from: 0,
      to: 10,
      open,
      signal,
    });

    await expect(buffer(body)).rejects.toThrow('the blob has changed');
  });

  it('closes an answer that comes when the reader has already gone', async () => {
    const late = Promise.withResolvers<Readable>();
    const asked = Promise.withResolvers<void>();
    const answer = new Readable({ read() {} });
    const open = () => {
      asked.resolve();
      return late.promise;
    };
    const body = resumingBody({
      first: answerOf(Buffer.from('abc'), 'break'),
      from: 0,
      to: 10,
      open,
      signal,
    });
    body.resume();
    await asked.promise;

    body.destroy();
    late.resolve(answer);
    await new Promise((resolve) => setImmediate(resolve));

    expect(answer.destroyed).toBe(true);
  });
});
