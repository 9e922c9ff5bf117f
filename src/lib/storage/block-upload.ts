import { Buffer } from 'node:buffer';
import { finished, type Readable } from 'node:stream';
import { destroyOnAbort, type LinkedAbort, linkAbort } from '../core/index.ts';
import { type BufferPool, createBufferPool } from './buffer-pool.ts';

/** Where the bytes of one upload go. Each method is one round trip that may be repeated. */
export interface BlockTarget<T> {
  /** Stores everything at once. */
  putWhole(bytes: Buffer, signal: AbortSignal): Promise<T>;
  /** Keeps the block of this number aside. `bytes` stays as it is until the promise settles. */
  stage(index: number, bytes: Buffer, signal: AbortSignal): Promise<unknown>;
  /** Makes a blob of the blocks 0 … `count` - 1. */
  commit(count: number, sizeBytes: number, signal: AbortSignal): Promise<T>;
}

interface BlockUploadOptions {
  readonly signal: AbortSignal;
  readonly blockBytes?: number;
  /** Blocks on their way at a time; as many buffers are held. */
  readonly concurrency?: number;
}

/**
 * Uploads a source in blocks out of a fixed set of buffers; what fits into one block goes at once. When the source
 * or a block fails, or the signal aborts, all that is on its way is cancelled, the source is destroyed, and nothing
 * becomes visible.
 */
export async function uploadBlocks<T>(
  source: Readable | Uint8Array,
  target: BlockTarget<T>,
  { signal, blockBytes = 8 * 2 ** 20, concurrency = 4 }: BlockUploadOptions,
): Promise<T> {
  if (source instanceof Uint8Array && source.length <= blockBytes) {
    return target.putWhole(Buffer.from(source.buffer, source.byteOffset, source.length), signal);
  }
  using link = linkAbort(signal);
  const untieSource = tieSource(source, link);
  const pool = createBufferPool(blockBytes, concurrency);
  const sender = createSender(target, link, pool);
  try {
    signal.throwIfAborted();
    for await (const { bytes, isLast } of cut(source, pool)) {
      if (isLast && sender.blocks() === 0) return await target.putWhole(bytes, link.signal);
      sender.send(bytes);
    }
    await sender.settled();
    sender.throwIfFailed();
    return await target.commit(sender.blocks(), sender.sizeBytes(), link.signal);
  } catch (error) {
    link.abort(error);
    await sender.settled();
    signal.throwIfAborted();
    sender.throwIfFailed();
    throw error;
  } finally {
    untieSource();
  }
}

/** Destroys the source when the upload ends early, and ends the upload when the source does, whatever it waits for. */
function tieSource(source: Readable | Uint8Array, link: LinkedAbort): () => void {
  if (source instanceof Uint8Array) return () => {};
  // Its error reaches the caller through the upload; without a listener it would end the process before that.
  source.on('error', () => {});
  const stopWatching = finished(source, { writable: false }, (error) => {
    if (error) link.abort(error);
  });
  const stopDestroying = destroyOnAbort(source, link.signal);
  return () => {
    stopWatching();
    stopDestroying();
  };
}

/** Cuts a source into blocks, each in a buffer of the pool. A full block is handed out only when more comes. */
async function* cut(
  source: Readable | Uint8Array,
  pool: BufferPool,
): AsyncGenerator<{ readonly bytes: Buffer; readonly isLast: boolean }> {
  let block = await pool.take();
  let filled = 0;
  for await (const chunk of source instanceof Uint8Array ? [source] : source) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('An upload takes bytes, not text or objects');
    for (let rest = chunk; rest.length > 0; ) {
      if (filled === block.length) {
        yield { bytes: block, isLast: false };
        block = await pool.take();
        filled = 0;
      }
      const taken = rest.subarray(0, block.length - filled);
      block.set(taken, filled);
      filled += taken.length;
      rest = rest.subarray(taken.length);
    }
  }
  yield { bytes: block.subarray(0, filled), isLast: true };
}

interface Sender {
  /** @throws the error of a block that has failed before */
  send(bytes: Buffer): void;
  blocks(): number;
  sizeBytes(): number;
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<unknown>;
  throwIfFailed(): void;
}

/** Sends blocks side by side, and gives each buffer back when its block has arrived. The first failure cancels all. */
function createSender(target: BlockTarget<unknown>, link: LinkedAbort, pool: BufferPool): Sender {
  const sending = new Set<Promise<void>>();
  let blocks = 0;
  let sizeBytes = 0;
  let failed: { readonly error: unknown } | undefined;
  const throwIfFailed = () => {
    if (failed) throw failed.error;
  };
  return {
    send(bytes) {
      throwIfFailed();
      sizeBytes += bytes.length;
      const sent = target
        .stage(blocks++, bytes, link.signal)
        .catch((error: unknown) => {
          failed ??= { error };
          link.abort(error);
        })
        .then(() => {
          sending.delete(sent);
          pool.give(bytes);
        });
      sending.add(sent);
    },
    blocks: () => blocks,
    sizeBytes: () => sizeBytes,
    settled: () => Promise.all(sending),
    throwIfFailed,
  };
}
