import { Buffer } from 'node:buffer';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { allocateRing, openRingWriter, type RingWriter } from './byte-ring.ts';
import { allocateWindow, releaseBytes } from './byte-window.ts';
import { DumpError } from './dump-error.ts';
import { createSaslFilter } from './sasl-filter.ts';
import type { DumpJob, PgDumpExit, WorkerMessage } from './worker-protocol.ts';

// From source the files lie as in the repository; in the bundle the worker, the wasm and every chunk lie in one folder.
const workerUrl = new URL(`./dump-worker${extname(import.meta.url)}`, import.meta.url);
const bundledWasm = new URL('./pg_dump.wasm', import.meta.url);
const sourceWasm = new URL('./vendor/pg_dump.wasm', import.meta.url);

/** What a running pg_dump reports. Nothing follows `ended`. */
export interface PgDumpEvents {
  /** The first bytes from the server. */
  answered(): void;
  /** The next bytes of the dump; to be given back by `taken`. */
  output(chunk: Buffer): void;
  /** Ended well, or with an error. */
  ended(error?: DumpError): void;
}

export interface PgDumpThread {
  /** These bytes of output have been passed on; pg_dump pauses while too many have not. */
  taken(sizeBytes: number): void;
  /** Ends pg_dump and its connection, wherever they are. */
  stop(): Promise<void>;
}

/**
 * Runs pg_dump in a thread of its own and carries bytes between it and the server's socket.
 *
 * @param socket - connected, and at the very start of the protocol
 */
export function startPgDump(
  socket: Socket,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  events: PgDumpEvents,
): PgDumpThread {
  const job: DumpJob = {
    args,
    env,
    wasmPath: fileURLToPath(existsSync(bundledWasm) ? bundledWasm : sourceWasm),
    ring: allocateRing(),
    outputWindow: allocateWindow(),
    sendWindow: allocateWindow(),
  };
  const ring = openRingWriter(job.ring);
  const worker = new Worker(workerUrl, { name: 'pg_dump', workerData: job, env: {}, execArgv: [] });

  let connectionError: unknown;
  feedRing(socket, ring, events.answered).catch((error) => {
    connectionError = error;
  });
  // A socket may report a second error, when nobody reads any more: unheard it would end the process.
  socket.on('error', () => {});

  let hasEnded = false;
  const end = (error?: DumpError) => {
    if (hasEnded) return;
    hasEnded = true;
    socket.destroySoon();
    events.ended(error);
  };
  worker.on('message', (message: WorkerMessage) => {
    if (message.type === 'output') events.output(bufferOf(message.bytes));
    else if (message.type === 'send') {
      const sizeBytes = message.bytes.length;
      socket.write(message.bytes, () => releaseBytes(job.sendWindow, sizeBytes));
    } else if (message.code === 0) end();
    else end(failure(message, connectionError));
  });
  worker.on('error', (cause) => end(new DumpError('engine_failed', 'The dump thread died', { cause })));
  worker.on('exit', () => end(new DumpError('engine_failed', 'The dump thread ended early')));

  return {
    taken: (sizeBytes) => releaseBytes(job.outputWindow, sizeBytes),
    async stop() {
      hasEnded = true;
      ring.abandon();
      socket.destroy();
      await worker.terminate();
    },
  };
}

/** Puts what the server sends into the ring; the ring ends with the connection, after its last byte. */
async function feedRing(socket: Socket, ring: RingWriter, answered: () => void): Promise<void> {
  const filter = createSaslFilter();
  try {
    for await (const chunk of socket) {
      answered();
      await ring.write(filter(chunk));
    }
  } finally {
    ring.end();
  }
}

function failure(message: PgDumpExit, cause: unknown): DumpError {
  const words = firstError(message);
  const isRole = /query failed: ERROR: +(permission denied to set role|role "[^\n]*" does not exist)/.test(
    words,
  );
  return new DumpError(isRole ? 'role_refused' : 'pg_dump_failed', words, { cause });
}

/** pg_dump's words from its first error on; what stands before are notes about its own program file. */
function firstError({ code, stderr }: PgDumpExit): string {
  const start = stderr.indexOf('pg_dump: error:');
  return stderr.slice(Math.max(0, start)).trim() || `pg_dump ended with exit code ${code}`;
}

function bufferOf(bytes: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
