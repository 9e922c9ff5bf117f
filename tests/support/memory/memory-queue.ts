import { AppError } from '../../../src/lib/core/index.ts';
import type { Queue } from '../../../src/lib/storage/index.ts';

const maxBytes = 65_536;

export interface MemoryQueue extends Queue {
  /** What was sent, oldest first. */
  readonly sent: readonly { readonly text: string; readonly visibilityDelaySeconds: number }[];
}

/** A queue in memory; keeps the same contract as the real one. */
export function memoryQueue(): MemoryQueue {
  const sent: { text: string; visibilityDelaySeconds: number }[] = [];
  return {
    sent,
    async send(text, { signal, visibilityDelaySeconds = 0 }) {
      signal.throwIfAborted();
      if (Buffer.byteLength(text) > maxBytes) {
        throw new AppError('upstream', 'The storage service refused the operation');
      }
      sent.push({ text, visibilityDelaySeconds });
    },
    async approximateLength({ signal }) {
      signal.throwIfAborted();
      return sent.length;
    },
  };
}
