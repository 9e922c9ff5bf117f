import type { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import { destroyOnAbort } from '../../core/index.ts';
import { copyTableName } from './copy-statement.ts';
import { createDumpParser, type DumpPart } from './dump-parts.ts';
import { trailer } from './dump-scanner.ts';
import { RestoreError } from './restore-error.ts';

/** What a restore needs of a connection to the database that is being filled. */
export interface RestoreSession {
  /** Carries out one statement; rows are of no interest. */
  query(sql: string, signal: AbortSignal): Promise<void>;
  /** Carries out `COPY … FROM stdin` with the given bytes. Ends with an error as soon as the server refuses them. */
  copyIn(copyStatement: string, rows: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
}

export interface RestoredDump {
  /** Tables that were filled, `schema.table` without quotes, in the order of the dump. */
  readonly tables: ReadonlyArray<{ readonly name: string; readonly rows: number }>;
  /** pg_dump's closing line was seen, so nothing is missing at the end. */
  readonly isComplete: boolean;
}

/** A statement is sent as one string; one that is longer is no work of pg_dump. */
const maxStatementBytes = 256 * 1024 * 1024;
/** Since the minors of August 2025 each dump begins and ends with one; they only restrict psql itself. */
const restriction = /^\\(un)?restrict \S+$/;

/**
 * Does what `psql` with `ON_ERROR_STOP` does with a plain dump, statement by statement. It ends at the first error;
 * `source` is destroyed then, and what was restored before stays.
 *
 * @throws RestoreError for what is no dump of pg_dump; errors of session and source; the signal's reason
 */
export async function restoreDump(
  session: RestoreSession,
  source: Readable,
  { signal }: { readonly signal: AbortSignal },
): Promise<RestoredDump> {
  const tables: { name: string; rows: number }[] = [];
  let isComplete = false;
  const parts = partsOf(source);
  const unlink = destroyOnAbort(source, signal);
  try {
    for (;;) {
      const { value: part } = await parts.next();
      if (!part) return { tables, isComplete };
      if (part.type === 'statement') await session.query(textOf(part.sql), signal);
      else if (part.type === 'meta') requireRestriction(part.text);
      else if (part.type === 'comment') isComplete ||= part.text === trailer;
      else if (part.type === 'copy-start') {
        const table = { name: copyTableName(part.statement), rows: 0 };
        const rows = copyRows(parts, (count) => {
          table.rows += count;
        });
        await session.copyIn(part.statement.slice(0, -1), rows, signal);
        tables.push(table);
      }
    }
  } finally {
    unlink();
    // A refused COPY may leave a read under way; this ends it.
    source.destroy();
  }
}

/** @throws RestoreError when the dump ends in the middle of a statement or of a table's data */
async function* partsOf(source: Readable): AsyncGenerator<DumpPart, void, undefined> {
  const parser = createDumpParser(maxStatementBytes);
  for await (const chunk of source) yield* parser.feed(chunk);
  if (!parser.end()) throw new RestoreError('dump_truncated', 'The dump ends in the middle of something');
}

/** The data of one table, up to its end; the parts behind it stay for the caller. */
async function* copyRows(
  parts: AsyncGenerator<DumpPart, void, undefined>,
  count: (rows: number) => void,
): AsyncGenerator<Buffer> {
  for (;;) {
    const { value: part } = await parts.next();
    if (part?.type !== 'copy-data') return;
    count(part.rows);
    yield part.bytes;
  }
}

function textOf(sql: Buffer | undefined): string {
  if (!sql) throw new RestoreError('not_restorable', `A statement is longer than ${maxStatementBytes} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(sql);
  } catch (cause) {
    throw new RestoreError('not_restorable', 'A statement is not UTF-8; use psql for this dump', { cause });
  }
}

function requireRestriction(line: string) {
  if (restriction.test(line)) return;
  throw new RestoreError('not_restorable', `Only psql can carry out this line: ${line.slice(0, 100)}`);
}
