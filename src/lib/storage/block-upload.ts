import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import { destroyOnAbort, linkAbort } from '../core/index.ts';

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
  const stopSource = tieSource(source, link.signal);
  const stager = createStager(target, link, blockBytes, concurrency);
  try {
    signal.throwIfAborted();
    for await (const chunk of source instanceof Uint8Array ? [source] : source) await stager.add(chunk);
    return await stager.finish();
  } catch (error) {
    link.abort(error);
    await stager.settled();
    throw signal.aborted ? signal.reason : (stager.failure() ?? error);
  } finally {
    stopSource();
  }
}

/** Ends a pending read when the upload ends early. */
function tieSource(source: Readable | Uint8Array, signal: AbortSignal): () => void {
  if (source instanceof Uint8Array) return () => {};
  // Its error reaches the caller through the reading loop; without a listener it would end the process before that.
  source.on('error', () => {});
  return destroyOnAbort(source, signal);
}

interface Stager<T> {
  add(chunk: unknown): Promise<void>;
  finish(): Promise<T>;
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<unknown>;
  failure(): unknown;
}

/** Fills buffers and sends them; a buffer is used again when its block has arrived. */
function createStager<T>(
  target: BlockTarget<T>,
  link: { readonly signal: AbortSignal; abort(reason: unknown): void },
  blockBytes: number,
  concurrency: number,
): Stager<T> {
  const sending = new Set<Promise<void>>();
  const free: Buffer[] = [];
  let buffers = 0;
  let buffer: Buffer | undefined;
  let filled = 0;
  let blocks = 0;
  let sizeBytes = 0;
  let failed: { readonly error: unknown } | undefined;

  const throwIfFailed = () => {
    if (failed) throw failed.error;
  };
  const takeBuffer = async (): Promise<Buffer> => {
    // Each race ends with the next block, so no promise collects listeners.
    while (free.length === 0 && buffers >= concurrency) await Promise.race(sending);
    throwIfFailed();
    const used = free.pop();
    if (used) return used;
    buffers++;
    return Buffer.allocUnsafeSlow(blockBytes);
  };
  const send = (full: Buffer, length: number) => {
    const sent = target
      .stage(blocks++, full.subarray(0, length), link.signal)
      .catch((error: unknown) => {
        failed ??= { error };
        link.abort(error);
      })
      .then(() => {
        sending.delete(sent);
        free.push(full);
      });
    sending.add(sent);
  };
  const append = async (chunk: Uint8Array) => {
    for (let rest = chunk; rest.length > 0; ) {
      // A full buffer is sent when more comes, so that a source of exactly one block goes at once.
      if (buffer && filled === blockBytes) {
        send(buffer, filled);
        buffer = undefined;
      }
      if (!buffer) {
        buffer = await takeBuffer();
        filled = 0;
      }
      const taken = rest.subarray(0, blockBytes - filled);
      buffer.set(taken, filled);
      filled += taken.length;
      rest = rest.subarray(taken.length);
    }
  };

  return {
    async add(chunk) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('An upload takes bytes, not text or objects');
      sizeBytes += chunk.length;
      await append(chunk);
    },
    async finish() {
      const last = buffer ?? Buffer.alloc(0);
      if (blocks === 0) return target.putWhole(last.subarray(0, filled), link.signal);
      send(last, filled);
      await Promise.all(sending);
      throwIfFailed();
      return target.commit(blocks, sizeBytes, link.signal);
    },
    settled: () => Promise.all(sending),
    failure: () => failed?.error,
  };
}
