import { createHash } from 'node:crypto';
import type { Row } from '../database/index.ts';

/** A seal over one batch of rows, as the database keeps it. */
export type Seal = Row<'audit_seals'>;

/** What a seal says of a row. */
export interface SealedRow {
  readonly id: number;
  /** SHA-256, hex. */
  readonly hash: string;
}

/** Rows of one seal at most: 40 KB in the database, 80 KB in the archive. */
export const maxSealedRows = 1_000;
const idBytes = 8;
const entryBytes = idBytes + 32;

export function packRow(id: number, hash: Buffer): Buffer {
  const packed = Buffer.alloc(idBytes);
  packed.writeBigInt64BE(BigInt(id));
  return Buffer.concat([packed, hash]);
}

/** The rows of a seal in order of their ids; what is left over at the end ({@link isTorn}) is left out. */
export function unpackRows(rows: Buffer): SealedRow[] {
  return Array.from({ length: Math.floor(rows.length / entryBytes) }, (_, index) => {
    const at = index * entryBytes;
    return {
      id: Number(rows.readBigInt64BE(at)),
      hash: rows.toString('hex', at + idBytes, at + entryBytes),
    };
  });
}

/** Whether there are bytes at the end that no row accounts for. */
export function isTorn(rows: Buffer): boolean {
  return rows.length % entryBytes !== 0;
}

/**
 * The text of a seal, as it lies in the archive. The seal is the SHA-256 of these bytes, so `sha256sum` checks it:
 * `{"seal":2,"previous":"<hash of seal 1>","sealed_at":"…","rows":[[<id>,"<hash>"],…]}` and a newline.
 */
export function sealText({ id, sealed_at, previous, rows }: Omit<Seal, 'hash' | 'archived_at'>): Buffer {
  const text = JSON.stringify({
    seal: id,
    previous: previous?.toString('hex') ?? null,
    sealed_at: sealed_at.toISOString(),
    rows: unpackRows(rows).map((row) => [row.id, row.hash]),
  });
  return Buffer.from(`${text}\n`);
}

export function sealHash(text: Buffer): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Name of a seal in the archive. By name they are in order, and two seals of one number have two names. */
export function archiveName({ id, hash }: Pick<Seal, 'id' | 'hash'>): string {
  return `${String(id).padStart(12, '0')}-${hash.toString('hex')}.json`;
}

/** The number of the seal that a name in the archive is of; `undefined` for what is none of ours. */
export function archivedSeal(name: string): number | undefined {
  const number = /^(\d{12})-[0-9a-f]{64}\.json$/.exec(name)?.[1];
  return number === undefined ? undefined : Number(number);
}
