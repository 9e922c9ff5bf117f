import { Buffer } from 'node:buffer';

/** A fixed number of buffers, used again and again; made when first needed. For one taker at a time. */
export interface BufferPool {
  /** Waits until a buffer is free. */
  take(): Promise<Buffer>;
  give(buffer: Buffer): void;
}

export function createBufferPool(bufferBytes: number, count: number): BufferPool {
  const free: Buffer[] = [];
  let made = 0;
  let handOver: ((buffer: Buffer) => void) | undefined;
  return {
    async take() {
      const used = free.pop();
      if (used) return used;
      if (made < count) {
        made++;
        return Buffer.allocUnsafeSlow(bufferBytes);
      }
      return new Promise((resolve) => {
        handOver = resolve;
      });
    },
    give(buffer) {
      if (handOver) handOver(buffer);
      else free.push(buffer);
      handOver = undefined;
    },
  };
}
