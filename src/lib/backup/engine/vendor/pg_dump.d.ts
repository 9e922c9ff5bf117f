/** The parts of the Emscripten module that the dump worker uses. */
export interface PgDumpModule {
  readonly ENV: Record<string, string>;
  /** A new view after every growth of the memory, so it is read anew at each use. */
  readonly HEAPU8: Uint8Array;
  readonly HEAP32: Int32Array;
  readonly FS: {
    makedev(major: number, minor: number): number;
    registerDevice(device: number, operations: DeviceOperations): void;
    mkdev(path: string, mode: number, device: number): void;
  };
  /** Makes a JavaScript function callable from WebAssembly; `signature` has one letter for the result and one per argument. */
  addFunction(callback: (pointer: number, length: number) => number, signature: string): number;
  /** Sets what libpq calls instead of recv() and send(). */
  _pgl_set_rw_cbs(read: number, write: number): void;
  /** The address of errno. */
  ___errno_location(): number;
  /** Runs `main`; returns its exit code. */
  callMain(args: string[]): number;
}

interface DeviceOperations {
  open(): void;
  close(): void;
  write(stream: unknown, heap: Int8Array, offset: number, length: number): number;
}

interface PgDumpOptions {
  readonly thisProgram: string;
  readonly noExitRuntime: boolean;
  readonly wasmBinary: Uint8Array;
  /** Left out: 64 MiB that grow to 2 GiB. */
  readonly wasmMemory: WebAssembly.Memory;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
  readonly onExit: (status: number) => void;
  readonly preRun: ReadonlyArray<(module: PgDumpModule) => void>;
}

export default function createPgDump(options: PgDumpOptions): Promise<PgDumpModule>;

declare global {
  /** Part of the DOM's types, which a server has no use for otherwise. */
  namespace WebAssembly {
    interface Memory {
      readonly buffer: ArrayBuffer;
    }
    /** Sizes in pages of 64 KiB. */
    const Memory: new (size: { readonly initial: number; readonly maximum: number }) => Memory;
  }
}
