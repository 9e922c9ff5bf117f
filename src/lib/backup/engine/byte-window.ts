/**
 * Limits how many bytes a worker may have sent to the main thread without their being taken: postMessage itself
 * knows no backpressure, and a slow reader would otherwise gather the whole dump in memory.
 */

export function allocateWindow(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** Worker side: blocks the thread while `limitBytes` or more are on their way, then counts `sizeBytes` as sent. */
export function claimBytes(window: SharedArrayBuffer, sizeBytes: number, limitBytes: number): void {
  const inFlight = new Int32Array(window);
  for (;;) {
    const now = Atomics.load(inFlight, 0);
    if (now < limitBytes) break;
    Atomics.wait(inFlight, 0, now);
  }
  Atomics.add(inFlight, 0, sizeBytes);
}

/** Main side: these bytes have been taken. */
export function releaseBytes(window: SharedArrayBuffer, sizeBytes: number): void {
  const inFlight = new Int32Array(window);
  Atomics.sub(inFlight, 0, sizeBytes);
  Atomics.notify(inFlight, 0);
}
