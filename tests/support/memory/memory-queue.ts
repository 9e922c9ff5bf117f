import { randomUUID } from 'node:crypto';
import { AppError } from '../../../src/lib/core/index.ts';
import type { Queue } from '../../../src/lib/storage/index.ts';

const maxBytes = 65_536;
const maxDelaySeconds = 7 * 24 * 60 * 60;

export interface MemoryQueue extends Queue {
  /** What was sent, oldest first. */
  readonly sent: readonly { readonly text: string; readonly visibilityDelaySeconds: number }[];
  /** What can be received now, oldest first. */
  visible(): string[];
  /** As if all that is hidden had come back. */
  reveal(): void;
}

interface Held {
  readonly id: string;
  readonly text: string;
  receipt: string;
  /** Milliseconds since the epoch. */
  visibleAt: number;
}

/** A queue in memory; keeps the same contract as the real one. */
export function memoryQueue(): MemoryQueue {
  const sent: { text: string; visibilityDelaySeconds: number }[] = [];
  const held = new Map<string, Held>();
  const visible = () => [...held.values()].filter(({ visibleAt }) => visibleAt <= Date.now());
  return {
    sent,
    visible: () => visible().map(({ text }) => text),
    reveal() {
      for (const message of held.values()) message.visibleAt = 0;
    },
    async send(text, { signal, visibilityDelaySeconds = 0 }) {
      signal.throwIfAborted();
      if (Buffer.byteLength(text) > maxBytes || visibilityDelaySeconds > maxDelaySeconds) {
        throw new AppError('upstream', 'The storage service refused the operation');
      }
      sent.push({ text, visibilityDelaySeconds });
      const id = randomUUID();
      held.set(id, { id, text, receipt: '', visibleAt: Date.now() + visibilityDelaySeconds * 1000 });
    },
    async approximateLength({ signal }) {
      signal.throwIfAborted();
      return held.size;
    },
    async receive({ signal, count, hideSeconds }) {
      signal.throwIfAborted();
      return visible()
        .slice(0, count)
        .map((message) => {
          message.receipt = randomUUID();
          message.visibleAt = Date.now() + hideSeconds * 1000;
          return { id: message.id, text: message.text, receipt: message.receipt };
        });
    },
    async delete({ id, receipt }, { signal }) {
      signal.throwIfAborted();
      return held.get(id)?.receipt === receipt && held.delete(id);
    },
  };
}
