/**
 * The worker thread that runs pg_dump. pg_dump is synchronous: it blocks this thread while it waits for the server or
 * for a slow reader, which is why it has a thread of its own. Nothing heavy may be imported here.
 */
import { readFileSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { openRingReader } from './byte-ring.ts';
import { claimBytes } from './byte-window.ts';
import createPgDump, { type PgDumpModule } from './vendor/pg_dump.js';
import type { DumpJob, WorkerMessage } from './worker-protocol.ts';

/** A page of WebAssembly memory has 64 KiB. */
const pagesPerMegabyte = 16;
const outputChunkBytes = 256 * 1024;
const maxOutputInFlightBytes = 4 * 1024 * 1024;
const maxSendInFlightBytes = 1024 * 1024;
/** Enough for pg_dump's words about an error; the end says why. */
const maxStderrChars = 16_384;
const outputPath = '/dev/dump';
/**
 * pg_dump holds one row at a time, as text, and its buffer doubles as it grows. A field of 260 MB (bytea) still fits;
 * a larger one fails the dump with "out of memory" instead of ending an instance of 2 GB with all that runs on it.
 */
const wasmPages = { initial: 64 * pagesPerMegabyte, maximum: 1024 * pagesPerMegabyte };
/** Emscripten's number for "try again". */
const EAGAIN = 6;

if (!parentPort) throw new Error('dump-worker runs as a worker thread only');
await runPgDump(workerData as DumpJob, parentPort);

async function runPgDump(job: DumpJob, port: MessagePort): Promise<void> {
  const post = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  const output = collectOutput((bytes) => {
    claimBytes(job.outputWindow, bytes.length, maxOutputInFlightBytes);
    post({ type: 'output', bytes }, [bytes.buffer]);
  });
  let stderr = '';
  const note = (line: string) => {
    stderr = `${stderr}${line}\n`.slice(-maxStderrChars);
  };
  let code = 0;

  const pgDump = await createPgDump({
    // Also the application_name that the server shows.
    thisProgram: 'pg_dump',
    noExitRuntime: false,
    wasmBinary: readFileSync(job.wasmPath),
    wasmMemory: new WebAssembly.Memory(wasmPages),
    print: note,
    printErr: note,
    onExit: (status) => {
      code = status;
    },
    preRun: [(module) => Object.assign(module.ENV, { HOME: '/' }, job.env)],
  });
  connectLibpq(pgDump, job, (bytes) => {
    claimBytes(job.sendWindow, bytes.length, maxSendInFlightBytes);
    post({ type: 'send', bytes }, [bytes.buffer]);
  });
  addOutputDevice(pgDump, output.write);

  try {
    code = pgDump.callMain([...job.args, '--file', outputPath]) || code;
  } catch (error) {
    // A trap of WebAssembly, for instance when memory has run out.
    note(String(error));
    code ||= 255;
  }
  output.flush();
  post({ type: 'exit', code, stderr });
  // The loader sets the exit code of the thread to that of pg_dump; the message above has told it already.
  process.exitCode = 0;
}

/** Puts our two functions where libpq would call recv() and send(). */
function connectLibpq(pgDump: PgDumpModule, job: DumpJob, send: (bytes: Uint8Array<ArrayBuffer>) => void) {
  const ring = openRingReader(job.ring);
  // libpq reads on after a full buffer, to take what is already there. It must be told "nothing yet" once, or it
  // would wait here for more of an answer that is complete. After that, or after a question, it does want to wait.
  let mayWait = false;
  const receive = (pointer: number, length: number) => {
    if (ring.isEmpty() && !mayWait) {
      mayWait = true;
      pgDump.HEAP32[pgDump.___errno_location() >> 2] = EAGAIN;
      return -1;
    }
    const start = pointer >>> 0;
    const received = ring.read(pgDump.HEAPU8.subarray(start, start + length));
    // libpq reads twice to be sure of the end; "nothing yet" in between would make it ask for ever.
    mayWait = received === 0;
    return received;
  };
  const transmit = (pointer: number, length: number) => {
    mayWait = true;
    const start = pointer >>> 0;
    send(new Uint8Array(pgDump.HEAPU8.subarray(start, start + length)));
    return length;
  };
  pgDump._pgl_set_rw_cbs(pgDump.addFunction(receive, 'iii'), pgDump.addFunction(transmit, 'iii'));
}

/** Gives pg_dump a device to write to, so that the dump never lies in Emscripten's file system. */
function addOutputDevice(pgDump: PgDumpModule, write: (bytes: Uint8Array) => void) {
  const device = pgDump.FS.makedev(64, 0);
  pgDump.FS.registerDevice(device, {
    open() {},
    close() {},
    write(_stream, heap, offset, length) {
      write(new Uint8Array(heap.buffer, heap.byteOffset + offset, length));
      return length;
    },
  });
  pgDump.FS.mkdev(outputPath, 0o666, device);
}

/** Gathers the many small writes into chunks that are worth a message. */
function collectOutput(emit: (bytes: Uint8Array<ArrayBuffer>) => void) {
  let chunk = new Uint8Array(outputChunkBytes);
  let filled = 0;
  const flush = () => {
    if (filled === 0) return;
    emit(filled === chunk.length ? chunk : chunk.slice(0, filled));
    chunk = new Uint8Array(outputChunkBytes);
    filled = 0;
  };
  const write = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + chunk.length - filled);
      chunk.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === chunk.length) flush();
    }
  };
  return { write, flush };
}
