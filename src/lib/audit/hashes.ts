import { createHash } from 'node:crypto';
import type { Row } from '../database/index.ts';

/** A row of the trail, as the database keeps it. */
export type AuditRow = Row<'audit_log'>;

/** The part of a row that may be erased, in clear. */
interface PersonalPart {
  readonly clientAddress: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * What stays of the personal part when it is erased: SHA-256 of the salt and the part in clear. So neither erasing it nor
 * encrypting it under another key changes the hash of the row, and without the salt nobody can try out what it was.
 */
export function personalDigest(salt: Uint8Array, { clientAddress, before, after }: PersonalPart): Buffer {
  const text = canonicalJson([clientAddress, before ?? null, after ?? null]);
  return createHash('sha256').update(salt).update(text).digest();
}

/** SHA-256 of everything in a row that never changes. */
export function rowHash(row: AuditRow): Buffer {
  const facts = [
    row.id,
    row.at.toISOString(),
    row.actor,
    row.action,
    row.object_type,
    row.object_id,
    row.subject,
    row.result,
    row.correlation_id,
    row.personal_digest.toString('hex'),
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest();
}

/**
 * The pseudonym of a user: a hash of salt and name, as a UUID of version 8 (RFC 9562), so that the name behind it cannot be
 * exchanged, and that without the salt nobody can try names out.
 */
export function pseudonymOf(salt: Uint8Array, userId: string): string {
  const bytes = createHash('sha256').update(salt).update(userId).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** JSON with the names of each object in order: the database keeps them in an order of its own. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
