import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import { AppError } from './errors.ts';

/**
 * Reads a whole stream into memory.
 *
 * @param maxBytes - the stream is destroyed and an {@link AppError} `body_too_large` is thrown beyond it
 */
export async function collect(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new AppError('body_too_large', `The body is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}

/** Destroys a stream when the signal aborts; the returned function undoes the link. */
export function destroyOnAbort(stream: Readable, signal: AbortSignal): () => void {
  const destroy = () => stream.destroy(signal.reason);
  if (signal.aborted) destroy();
  else signal.addEventListener('abort', destroy, { once: true });
  return () => signal.removeEventListener('abort', destroy);
}
