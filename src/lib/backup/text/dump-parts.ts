import { Buffer } from 'node:buffer';
import { createStatementLexer } from './statement-lexer.ts';

/** One piece of a plain dump, in order. */
export type DumpPart =
  /** A line comment between statements, without its line end; empty when over 1 KiB. */
  | { readonly type: 'comment'; readonly text: string }
  /** A line that is for psql and not for the server, such as `\restrict …`; empty when over 1 KiB. */
  | { readonly type: 'meta'; readonly text: string }
  /** A statement with its semicolon; `undefined` when it is longer than was asked for. */
  | { readonly type: 'statement'; readonly sql: Buffer | undefined }
  /** `COPY … FROM stdin;`; its data and a `copy-end` follow. */
  | { readonly type: 'copy-start'; readonly statement: string }
  /** Bytes of COPY text, cut anywhere; `rows` is the number of lines that end in them. */
  | { readonly type: 'copy-data'; readonly bytes: Buffer; readonly rows: number }
  /** The line `\.`, which is not part of the data. */
  | { readonly type: 'copy-end' };

/** Takes the dump chunk by chunk, cut anywhere. */
export interface DumpParser {
  feed(chunk: Buffer): Generator<DumpPart>;
  /** The input is over. Returns false when it ended inside a statement or COPY data. */
  end(): boolean;
}

const newline = 0x0a;
const dash = 0x2d;
const backslash = 0x5c;
const blanks: readonly (number | undefined)[] = [0x20, 0x09, 0x0a, 0x0c, 0x0d];
/** Bytes whose meaning may hang on the next one: `--`, `/*`, `* /`, `''`, `\x`. */
const pairs: readonly (number | undefined)[] = [dash, 0x2f, 0x2a, 0x27, backslash];
const endOfCopy = Buffer.from('\\.\n');
const maxLineBytes = 1024;
/** As pg_dump writes it; nothing else in a dump is followed by data. */
const copyFromStdin = /^COPY .+ FROM stdin;$/s;

/** @param maxStatementBytes - what is longer is read over, so that memory does not grow with the dump */
export function createDumpParser(maxStatementBytes: number): DumpParser {
  /** What the next byte belongs to. */
  let place: 'between' | 'comment' | 'meta' | 'statement' | 'copy-head' | 'copy' = 'between';
  let isLineStart = true;
  let lexer = createStatementLexer();
  const line = createCollector(maxLineBytes);
  const statement = createCollector(maxStatementBytes);
  /** The end of the last chunk, where it cannot be judged without the next one. */
  let held: Buffer = Buffer.alloc(0);

  /** Each of the readers below takes bytes from `at` on and returns where it stopped. */
  const readBetween = (bytes: Buffer, at: number): number => {
    const byte = bytes[at];
    if (blanks.includes(byte)) return at + 1;
    if (byte === backslash) place = 'meta';
    else if (byte === dash && bytes[at + 1] === dash) place = 'comment';
    else {
      place = 'statement';
      lexer = createStatementLexer();
    }
    return at;
  };

  function* readLine(bytes: Buffer, at: number, type: 'comment' | 'meta'): Generator<DumpPart, number> {
    const end = bytes.indexOf(newline, at);
    line.add(bytes.subarray(at, end < 0 ? bytes.length : end));
    if (end < 0) return bytes.length;
    yield { type, text: line.take()?.toString() ?? '' };
    place = 'between';
    return end + 1;
  }

  function* readStatement(bytes: Buffer, from: number, stop: number): Generator<DumpPart, number> {
    for (let at = from; at < stop; at++) {
      if (!lexer.step(bytes[at] ?? -1, bytes[at + 1] ?? -1)) continue;
      statement.add(bytes.subarray(from, at + 1));
      const sql = statement.take();
      const copy = sql?.[0] === 0x43 ? sql.toString() : '';
      if (copyFromStdin.test(copy)) {
        place = 'copy-head';
        yield { type: 'copy-start', statement: copy };
      } else {
        place = 'between';
        yield { type: 'statement', sql };
      }
      return at + 1;
    }
    statement.add(bytes.subarray(from, stop));
    return stop;
  }

  /** The rest of the line that holds the COPY statement. */
  const readCopyHead = (bytes: Buffer, at: number): number => {
    const end = bytes.indexOf(newline, at);
    if (end < 0) return bytes.length;
    place = 'copy';
    isLineStart = true;
    return end + 1;
  };

  function* readCopy(bytes: Buffer, from: number): Generator<DumpPart, number> {
    let rows = 0;
    let at = from;
    let isOver = false;
    while (at < bytes.length) {
      if (isLineStart && bytes[at] === backslash) {
        const start = bytes.subarray(at, at + endOfCopy.length);
        isOver = start.equals(endOfCopy);
        if (isOver) break;
        if (start.equals(endOfCopy.subarray(0, start.length))) {
          held = start;
          break;
        }
      }
      const end = bytes.indexOf(newline, at);
      isLineStart = end >= 0;
      if (isLineStart) rows++;
      at = isLineStart ? end + 1 : bytes.length;
    }
    if (at > from) yield { type: 'copy-data', bytes: bytes.subarray(from, at), rows };
    if (!isOver) return bytes.length;
    place = 'between';
    yield { type: 'copy-end' };
    return at + endOfCopy.length;
  }

  return {
    *feed(chunk) {
      const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
      held = Buffer.alloc(0);
      // Outside of COPY data the last byte waits where it needs the next one.
      const stop = pairs.includes(bytes.at(-1)) ? bytes.length - 1 : bytes.length;
      let at = 0;
      while (at < bytes.length) {
        if (place === 'copy') at = yield* readCopy(bytes, at);
        else if (place === 'copy-head') at = readCopyHead(bytes, at);
        else if (place === 'comment' || place === 'meta') at = yield* readLine(bytes, at, place);
        else if (at === stop) {
          held = bytes.subarray(stop);
          return;
        } else if (place === 'between') at = readBetween(bytes, at);
        else at = yield* readStatement(bytes, at, stop);
      }
    },
    end: () => held.length === 0 && (place === 'between' || place === 'comment'),
  };
}

/** Puts a piece together that came in several chunks. */
function createCollector(maxBytes: number) {
  let pieces: Buffer[] = [];
  let sizeBytes = 0;
  return {
    add(bytes: Buffer) {
      sizeBytes += bytes.length;
      if (sizeBytes > maxBytes) pieces = [];
      else pieces.push(bytes);
    },
    /** The piece, or undefined when it was too long; the next one begins. */
    take(): Buffer | undefined {
      const whole = sizeBytes > maxBytes ? undefined : Buffer.concat(pieces);
      pieces = [];
      sizeBytes = 0;
      return whole;
    },
  };
}
