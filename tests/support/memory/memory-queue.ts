import { AppError } from '../../../src/lib/core/index.ts';
import type { Queue } from '../../../src/lib/storage/index.ts';

const maxBytes = 65_536;
const maxDelaySeconds = 7 * 24 * 60 * 60;

export interface MemoryQueue extends Queue {
  /** What was sent, oldest first; `visibleAt` in milliseconds since the epoch. */
  readonly sent: readonly { readonly text: string; readonly visibleAt: number }[];
}

/** A queue in memory; keeps the same contract as the real one. */
export function memoryQueue(): MemoryQueue {
  const sent: { text: string; visibleAt: number }[] = [];
  return {
    sent,
    async send(text, { signal, visibilityDelaySeconds = 0 }) {
      signal.throwIfAborted();
      if (Buffer.byteLength(text) > maxBytes || visibilityDelaySeconds > maxDelaySeconds) {
        throw new AppError('upstream', 'The storage service refused the operation');
      }
      sent.push({ text, visibleAt: Date.now() + visibilityDelaySeconds * 1000 });
    },
    async approximateLength({ signal }) {
      signal.throwIfAborted();
      return sent.length;
    },
  };
}
