import type { RingMemory } from './byte-ring.ts';

/** What the main thread gives to the worker at its start. */
export interface DumpJob {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly wasmPath: string;
  /** Bytes from the server. */
  readonly ring: RingMemory;
  /** Bounds `output` messages under way. */
  readonly outputWindow: SharedArrayBuffer;
  /** Bounds `send` messages under way. */
  readonly sendWindow: SharedArrayBuffer;
}

/** How pg_dump has ended. */
export interface PgDumpExit {
  readonly code: number;
  readonly stderr: string;
}

/** What the worker tells the main thread. */
export type WorkerMessage =
  /** The next bytes of the dump. */
  | { readonly type: 'output'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Bytes for the server. */
  | { readonly type: 'send'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** pg_dump has ended; always the last message. */
  | ({ readonly type: 'exit' } & PgDumpExit);
