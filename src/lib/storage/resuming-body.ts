import { Readable } from 'node:stream';
import { AppError, destroyOnAbort, linkAbort } from '../core/index.ts';

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
      let broken: unknown;
      try {
        for await (const chunk of current) {
          position += chunk.length;
          yield chunk;
        }
      } catch (error) {
        broken = error;
      }
      if (position >= to) return;
      link.signal.throwIfAborted();
      barren = position > before ? 0 : barren + 1;
      if (barren >= maxBarren) throw unreadable(broken);
      current = watched(await open(position, link.signal));
      // The reader may have gone while the answer was on its way.
      if (link.signal.aborted) current.destroy();
    }
  }

  const chunks = read();
  const body = new Readable({
    read() {
      chunks.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error) => this.destroy(error),
      );
    },
    // Not Readable.from: that waits for the next chunk before it lets go of the connection.
    destroy(error, callback) {
      link[Symbol.dispose]();
      link.abort(error ?? new Error('The reader has gone'));
      current.destroy();
      callback(error);
    },
  });
  destroyOnAbort(watched(body), link.signal);
  return body;
}

function unreadable(cause: unknown): AppError {
  return new AppError('unavailable', 'The file could not be read to its end', {
    cause,
  });
}

/** A stream may break before anybody reads it; without a listener that would end the process. */
function watched(stream: Readable): Readable {
  return stream.on('error', () => {});
}
