import { getEventListeners } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { collect, destroyOnAbort } from '../../../src/lib/core/index.ts';

describe('collect', () => {
  it('joins the chunks of a stream', async () => {
    const stream = Readable.from([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c')]);

    const bytes = await collect(stream, 3);

    expect(bytes.toString()).toBe('abc');
  });

  it('answers no bytes for a stream without any', async () => {
    expect(await collect(Readable.from([]), 3)).toHaveLength(0);
  });

  it('refuses what is larger than allowed, without reading it all, and destroys the stream', async () => {
    let chunks = 0;
    const stream = Readable.from(
      (function* () {
        for (;;) {
          chunks += 1;
          yield Buffer.alloc(10);
        }
      })(),
      { highWaterMark: 1 },
    );

    const collecting = collect(stream, 25);

    await expect(collecting).rejects.toMatchObject({ code: 'body_too_large', status: 413 });
    expect(stream.destroyed).toBe(true);
    expect(chunks).toBeLessThan(10);
  });

  it('passes on the failure of the stream', async () => {
    const stream = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        throw new Error('the connection broke');
      })(),
    );

    await expect(collect(stream, 100)).rejects.toThrow('the connection broke');
  });
});

describe('destroyOnAbort', () => {
  it('destroys the stream with the reason', async () => {
    const caller = new AbortController();
    const stream = new Readable({ read() {} });
    destroyOnAbort(stream, caller.signal);
    const reading = collect(stream, 100);

    caller.abort(new Error('the client has gone'));

    await expect(reading).rejects.toThrow('the client has gone');
    expect(stream.destroyed).toBe(true);
  });

  it('destroys at once under a signal that has aborted', async () => {
    const stream = new Readable({ read() {} });
    stream.on('error', () => {});

    destroyOnAbort(stream, AbortSignal.abort(new Error('too late')));

    expect(stream.destroyed).toBe(true);
  });

  it('leaves no listener behind once undone', () => {
    const { signal } = new AbortController();

    const undo = destroyOnAbort(new Readable({ read() {} }), signal);
    const during = getEventListeners(signal, 'abort').length;
    undo();

    expect([during, getEventListeners(signal, 'abort').length]).toEqual([1, 0]);
  });
});
