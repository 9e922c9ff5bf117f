import { Buffer } from 'node:buffer';

/** The last setting pg_dump writes at the top of a plain dump that concerns us comes well before this. */
const maxHeaderBytes = 8192;
const headerEnd = 'SET client_encoding = ';
const unknownBefore17 = 'SET transaction_timeout = 0;\n';

/** Bytes in, bytes out; `end` gives what is still held. */
export interface HeaderFilter {
  write(chunk: Buffer): Buffer;
  end(): Buffer;
}

/**
 * pg_dump 18 begins each dump with settings of PostgreSQL 18. A server before 17 does not know `transaction_timeout`,
 * and a restore that stops at errors (`ON_ERROR_STOP`) would end at that line: it is left out for such servers.
 */
export function createHeaderFilter(): HeaderFilter {
  let held: Buffer | undefined = Buffer.alloc(0);
  return {
    write(chunk) {
      if (!held) return chunk;
      held = Buffer.concat([held, chunk]);
      if (!held.includes(headerEnd) && held.length < maxHeaderBytes) return Buffer.alloc(0);
      const header = trimHeader(held);
      held = undefined;
      return header;
    },
    end: () => held ?? Buffer.alloc(0),
  };
}

function trimHeader(start: Buffer): Buffer {
  const headerBytes = start.indexOf(headerEnd);
  const header = start.toString('latin1', 0, headerBytes);
  const major = /^-- Dumped from database version (\d+)/m.exec(header)?.[1];
  if (headerBytes < 0 || major === undefined || Number(major) >= 17) return start;
  return Buffer.concat([
    Buffer.from(header.replace(unknownBefore17, ''), 'latin1'),
    start.subarray(headerBytes),
  ]);
}
