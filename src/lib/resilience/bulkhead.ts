/** Lets only so many calls to one dependency run at a time. */
export interface Bulkhead {
  /**
   * Takes a slot. Returns nothing when one is free, so that the usual call waits for nothing; otherwise a promise of one,
   * which rejects with the signal's reason as soon as it aborts.
   *
   * @throws what `rejection` makes, when too many wait already
   */
  enter(signal: AbortSignal): Promise<void> | undefined;
  /** Gives the slot back. */
  leave(): void;
}

/**
 * @param size - calls that run at a time; 0 for no limit
 * @param queueSize - calls that may wait
 * @param rejection - makes the error for the call that finds the queue full
 */
export function createBulkhead(size: number, queueSize: number, rejection: () => Error): Bulkhead {
  const limit = size || Number.POSITIVE_INFINITY;
  let running = 0;
  /** Who waits longest comes first. */
  const waiting = new Set<() => void>();

  const waitForTurn = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const giveUp = () => {
        waiting.delete(start);
        reject(signal.reason);
      };
      const start = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.add(start);
    });

  return {
    enter(signal) {
      if (running < limit) {
        running++;
        return undefined;
      }
      if (waiting.size >= queueSize) throw rejection();
      return waitForTurn(signal);
    },
    leave() {
      if (waiting.size === 0) {
        running--;
        return;
      }
      // The slot is handed over: it is never free in between, so nobody can jump the queue.
      for (const start of waiting) {
        waiting.delete(start);
        start();
        return;
      }
    },
  };
}
