/**
 * A ring of bytes in shared memory: one thread writes and never blocks, another reads and may block. It carries what
 * the server sends from the socket (main thread) to pg_dump (worker), whose reads are synchronous.
 */

/** Must be a power of two, so that positions may overflow 32 bits and still be masked. */
const ringBytes = 2 ** 21;

/** Words of the control block. Positions only grow; their difference is what the ring holds. */
const written = 0;
const read = 1;
const ended = 2;
/** Counts writes and the end, so that a reader can wait for "anything new" without missing what came meanwhile. */
const sequence = 3;

/** The shared memory of a ring, to be handed to the other thread. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
}

export function allocateRing(): RingMemory {
  return {
    control: new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT),
    bytes: new SharedArrayBuffer(ringBytes),
  };
}

export interface RingWriter {
  /** Resolves when all of `chunk` is in the ring, waiting for the reader where it is full. */
  write(chunk: Uint8Array): Promise<void>;
  /** No more bytes will come. Call it after the last `write` has resolved. */
  end(): void;
  /** Wakes a waiting `write` for good: the reader is gone. */
  abandon(): void;
}

export function openRingWriter(memory: RingMemory): RingWriter {
  const control = new Int32Array(memory.control);
  const ring = new Uint8Array(memory.bytes);
  let abandoned = false;

  /** Copies what fits; returns how much that was. */
  const put = (chunk: Uint8Array, readUpTo: number): number => {
    const head = Atomics.load(control, written);
    const size = Math.min(chunk.length, ringBytes - ((head - readUpTo) | 0));
    const offset = head & (ringBytes - 1);
    const untilWrap = Math.min(size, ringBytes - offset);
    ring.set(chunk.subarray(0, untilWrap), offset);
    ring.set(chunk.subarray(untilWrap, size), 0);
    Atomics.store(control, written, (head + size) | 0);
    announce();
    return size;
  };
  const announce = () => {
    Atomics.add(control, sequence, 1);
    Atomics.notify(control, sequence);
  };

  return {
    async write(chunk) {
      let rest = chunk;
      while (!abandoned) {
        const readUpTo = Atomics.load(control, read);
        rest = rest.subarray(put(rest, readUpTo));
        if (rest.length === 0) return;
        // Not lost if the reader moved on since: the wait then ends at once, because the word is no longer `readUpTo`.
        await Atomics.waitAsync(control, read, readUpTo).value;
      }
    },
    end() {
      Atomics.store(control, ended, 1);
      announce();
    },
    abandon() {
      abandoned = true;
      Atomics.notify(control, read);
    },
  };
}

export interface RingReader {
  /** True when a read would have to wait. */
  isEmpty(): boolean;
  /** Copies what is there into `target`, blocking the thread until there is something; 0 means the end. */
  read(target: Uint8Array): number;
}

export function openRingReader(memory: RingMemory): RingReader {
  const control = new Int32Array(memory.control);
  const ring = new Uint8Array(memory.bytes);
  const available = () => (Atomics.load(control, written) - Atomics.load(control, read)) | 0;

  /** Bytes to read, or 0 at the end: only once the ring is empty, so nothing before it is lost. */
  const waitForBytes = (): number => {
    for (;;) {
      const seen = Atomics.load(control, sequence);
      const isEnded = Atomics.load(control, ended) === 1;
      const bytes = available();
      if (bytes > 0 || isEnded) return bytes;
      Atomics.wait(control, sequence, seen);
    }
  };

  return {
    isEmpty: () => available() === 0,
    read(target) {
      const bytes = waitForBytes();
      const size = Math.min(bytes, target.length);
      const tail = Atomics.load(control, read);
      const offset = tail & (ringBytes - 1);
      const untilWrap = Math.min(size, ringBytes - offset);
      target.set(ring.subarray(offset, offset + untilWrap));
      target.set(ring.subarray(0, size - untilWrap), untilWrap);
      Atomics.store(control, read, (tail + size) | 0);
      // A writer waits only on a full ring, so this line is passed before the ring can run dry; waking it for
      // every few bytes would keep the main thread busy.
      if (bytes - size <= ringBytes / 2) Atomics.notify(control, read);
      return size;
    },
  };
}
