import { Readable } from 'node:stream';
import { AppError, linkAbort } from '../core/index.ts';

interface ResumingBodyOptions {
  /** The body of the answer that has already come. */
  readonly first: Readable;
  /** First byte of it, and first byte no longer wanted, within the blob. */
  readonly from: number;
  readonly to: number;
  /** Reads on from a byte, of the same version. */
  readonly open: (from: number, signal: AbortSignal) => Promise<Readable>;
  readonly signal: AbortSignal;
}

/** Answers in a row that break before their first byte. */
const maxBarren = 3;

/**
 * Joins answers to one body: when one breaks off, the next begins at the byte that is missing. (The SDK's own
 * resumption takes a connection that was cut for a cancelled download, and ends.)
 *
 * Destroying the body, or the abort of the signal, closes the connection.
 */
export function resumingBody({ first, from, to, open, signal }: ResumingBodyOptions): Readable {
  const link = linkAbort(signal);
  let current = watched(first);

  async function* read(): AsyncGenerator<Uint8Array> {
    let position = from;
    for (let barren = 0; position < to; ) {
      const before = position;
      const broken = yield* pass(current, (length) => {
        position += length;
      });
      if (position >= to) return;
      link.signal.throwIfAborted();
      barren = position > before ? 0 : barren + 1;
      if (barren >= maxBarren) {
        throw new AppError('unavailable', 'The file could not be read to its end', {
          cause: broken,
          retryAfterSeconds: 5,
        });
      }
      current = watched(await open(position, link.signal));
    }
  }

  const body = watched(Readable.from(read(), { objectMode: false, highWaterMark: 65_536 }));
  const onAbort = () => body.destroy(asError(signal.reason));
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  body.once('close', () => {
    signal.removeEventListener('abort', onAbort);
    link.abort(new Error('The reader has gone'));
    link[Symbol.dispose]();
    current.destroy();
  });
  return body;
}

/** Hands on what an answer holds; returns the error by which it broke, if it did. */
async function* pass(answer: Readable, count: (length: number) => void): AsyncGenerator<Uint8Array, unknown> {
  const chunks = answer[Symbol.asyncIterator]();
  for (;;) {
    // Only the reading may fail without consequence: what the consumer throws into a yield must get out.
    const next = await chunks.next().catch((error: unknown) => ({ error }));
    if ('error' in next) return next.error;
    if (next.done) return undefined;
    count(next.value.length);
    yield next.value;
  }
}

/** A stream may break before anybody reads it; without a listener that would end the process. */
function watched(stream: Readable): Readable {
  return stream.on('error', () => {});
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('The download was cancelled', { cause: reason });
}
