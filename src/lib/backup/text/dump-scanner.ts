import { createHash, type Hash } from 'node:crypto';
import { Transform } from 'node:stream';
import { copyTableName } from './copy-statement.ts';
import { createDumpParser, type DumpPart } from './dump-parts.ts';

/** One table's data in a dump. */
export interface DumpedTable {
  /** `schema.table`, without quotes. */
  readonly name: string;
  readonly rows: number;
  /** SHA-256 (hex) of the COPY text: its lines with their newline, without `\.`. */
  readonly contentHash: string;
}

/** What a dump says about itself. */
export interface DumpSummary {
  readonly tables: readonly DumpedTable[];
  /** The dump is whole: pg_dump's closing line was the last thing in it. */
  readonly isComplete: boolean;
  readonly sizeBytes: number;
  /** Such as `18.4`; `undefined` when the dump does not say. */
  readonly serverVersion: string | undefined;
  readonly pgDumpVersion: string | undefined;
}

/** 1600 columns with names of 63 quotes each still fit; what is longer is no COPY statement. */
const maxCopyStatementBytes = 512 * 1024;
/** pg_dump's last line but for blanks and `\unrestrict`. */
export const trailer = '-- PostgreSQL database dump complete';

/**
 * Lets a plain dump pass unchanged and takes note of what is in it, at constant memory.
 *
 * @returns the stream, and `summary` to be asked when it has ended
 */
export function scanDump(): { stream: Transform; summary: () => DumpSummary } {
  const parser = createDumpParser(maxCopyStatementBytes);
  const tables: DumpedTable[] = [];
  const versions = new Map<string, string>();
  let open: { name: string; rows: number; hash: Hash } | undefined;
  let sizeBytes = 0;
  let isTrailerLast = false;

  const note = (part: DumpPart) => {
    if (part.type === 'copy-data') {
      if (open) open.rows += part.rows;
      open?.hash.update(part.bytes);
    } else if (part.type === 'copy-start') {
      open = { name: copyTableName(part.statement), rows: 0, hash: createHash('sha256') };
    } else if (part.type === 'copy-end' && open) {
      tables.push({ name: open.name, rows: open.rows, contentHash: open.hash.digest('hex') });
      open = undefined;
    } else if (part.type === 'comment') noteComment(part.text);
    if (part.type === 'statement' || part.type === 'copy-start') isTrailerLast = false;
  };
  const noteComment = (text: string) => {
    if (text === trailer) isTrailerLast = true;
    const [, what, version] = /^-- Dumped (from database|by pg_dump) version (\S+)/.exec(text) ?? [];
    if (what && version && !versions.has(what)) versions.set(what, version);
  };

  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      try {
        for (const part of parser.feed(chunk)) note(part);
      } catch (error) {
        return done(error instanceof Error ? error : new Error(String(error)));
      }
      done(undefined, chunk);
    },
  });
  return {
    stream,
    summary: () => ({
      tables,
      isComplete: isTrailerLast && parser.end(),
      sizeBytes,
      serverVersion: versions.get('from database'),
      pgDumpVersion: versions.get('by pg_dump'),
    }),
  };
}
