import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import type { HttpResponseInit } from '@azure/functions';
import { type Deadline, destroyOnAbort } from '../core/index.ts';
import type { Answer } from './answer.ts';
import { ClientGoneError } from './client-gone.ts';

/** After the first byte a transfer may take as long as it likes, as long as it moves. */
const progressTimeoutMs = 60_000;

interface SendOptions {
  readonly answer: Answer;
  readonly headers: Readonly<Record<string, string>>;
  readonly withoutBody: boolean;
  readonly response: ServerResponse;
  readonly deadline: Deadline;
  /** Called once, when the last byte is out or the transfer broke. */
  readonly onEnd: (error?: unknown) => void;
}

/** Turns an answer into what the platform's library sends. Rejects if a stream fails before its first byte. */
export async function send(options: SendOptions): Promise<HttpResponseInit> {
  const { answer, headers, withoutBody } = options;
  const { body, status } = answer;
  if (body.kind === 'stream' && !withoutBody) {
    return { status, headers: { ...headers }, body: await startTransfer(body.stream, options) };
  }
  if (body.kind === 'stream') body.stream.destroy();
  const bytes = bytesOf(answer);
  options.onEnd();
  return {
    status,
    headers: { ...headers, ...(bytes && { 'content-length': String(bytes.length) }) },
    ...(bytes && !withoutBody && { body: bytes }),
  };
}

function bytesOf({ body }: Answer): Buffer | undefined {
  if (body.kind === 'json') return Buffer.from(JSON.stringify(body.value));
  return body.kind === 'text' ? Buffer.from(body.text) : undefined;
}

/**
 * Waits for the first chunk, then hands the rest over chunk by chunk. The library writes without looking at
 * backpressure, so each further chunk waits here until the connection has drained; a failure destroys the connection,
 * because the library would leave it open, and a cut answer must not look whole.
 */
async function startTransfer(stream: Readable, { response, deadline, onEnd }: SendOptions) {
  const unlink = destroyOnAbort(stream, deadline.signal);
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  let ended = false;
  const end = (error?: unknown) => {
    if (ended) return;
    ended = true;
    unlink();
    onEnd(error);
  };
  const breakOff = (error: unknown) => {
    stream.destroy();
    response.destroy();
    end(error);
  };
  let next: IteratorResult<Uint8Array, undefined> | undefined = await chunks.next().catch((error) => {
    unlink();
    throw error;
  });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          await drained(response, deadline.signal);
          next ??= await chunks.next();
          if (next.done) {
            controller.close();
            end();
            return;
          }
          controller.enqueue(next.value);
          next = undefined;
          deadline.extend(progressTimeoutMs);
        } catch (error) {
          breakOff(error);
          controller.error(error);
        }
      },
      cancel: breakOff,
    },
    { highWaterMark: 0 },
  );
}

/** Resolves when the connection can take more; rejects when it has closed or the signal aborts. */
function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  if (response.destroyed) return Promise.reject(new ClientGoneError());
  if (!response.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => () => {
      response.off('drain', onDrain);
      response.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      done();
    };
    const onDrain = settle(resolve);
    const onClose = settle(() => reject(new ClientGoneError()));
    const onAbort = settle(() => reject(signal.reason));
    response.once('drain', onDrain);
    response.once('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
