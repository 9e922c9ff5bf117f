import { type Db, sql } from '../database/index.ts';
import type { Keyring } from '../security/index.ts';
import { decryptAddress } from './client-address.ts';
import { erasure } from './forget.ts';
import { type AuditRow, personalDigest, pseudonymOf, rowHash } from './hashes.ts';
import { type Seal, type SealedRow, unpackRows } from './seals.ts';

/** A row with what stands behind its pseudonyms. */
type RowWithNames = AuditRow & { readonly actor_name: Name; readonly subject_name: Name };

/** `erased` is true when an erasure of the pseudonym is on record; it is looked up only where there is no name, or are no facts. */
interface Name {
  readonly user_id: string | null;
  /** Hex. */
  readonly salt: string | null;
  readonly erased: boolean | null;
}

/** What is wrong with a row, in an operator's words. */
export interface RowFault {
  readonly row: number;
  readonly fault: string;
}

/** The rows that say they are in this seal, in order of their ids; one more than it holds, where there are more. */
export async function readSealedRows(db: Db, seal: Seal): Promise<RowWithNames[]> {
  const nameOf = (table: 'actor_row' | 'subject_row', pseudonym: 'actor' | 'subject') => sql`
    jsonb_build_object('user_id', ${sql.ref(table)}.user_id, 'salt', encode(${sql.ref(table)}.salt, 'hex'),
      'erased', case when ${sql.ref(table)}.pseudonym is null or audit_log.salt is null then exists (
        select from audit_log as erasure
        where erasure.object_type = ${erasure.objectType} and erasure.action = ${erasure.action}
          and erasure.object_id = audit_log.${sql.ref(pseudonym)}::text) end)`;
  const { rows } = await sql<RowWithNames>`
    select audit_log.*, ${nameOf('actor_row', 'actor')} as actor_name, ${nameOf('subject_row', 'subject')} as subject_name
    from audit_log
    left join audit_actors as actor_row on actor_row.pseudonym = audit_log.actor
    left join audit_actors as subject_row on subject_row.pseudonym = audit_log.subject
    where seal = ${seal.id}
    order by id
    limit ${unpackRows(seal.rows).length + 1}`.execute(db);
  return rows;
}

/** Compares rows with what their seal says of them; gives the first one that is not as it was. */
export function findRowFault(
  expected: readonly SealedRow[],
  rows: readonly RowWithNames[],
  keyring: Keyring,
): RowFault | undefined {
  for (const [index, sealed] of expected.entries()) {
    const row = rows[index];
    if (!row || row.id > sealed.id) return { row: sealed.id, fault: 'is missing from its seal' };
    if (row.id < sealed.id) return { row: row.id, fault: 'was added' };
    const fault = faultOf(row, sealed.hash, keyring);
    if (fault !== undefined) return { row: row.id, fault };
  }
  const added = rows[expected.length];
  return added && { row: added.id, fault: 'was added' };
}

function faultOf(row: RowWithNames, hash: string, keyring: Keyring): string | undefined {
  if (rowHash(row).toString('hex') !== hash) return 'was changed';
  return (
    nameFault('who acted', row.actor, row.actor_name) ??
    (row.subject === null ? undefined : nameFault('whom it is about', row.subject, row.subject_name)) ??
    personalFault(row, keyring)
  );
}

function nameFault(what: string, pseudonym: string, { user_id, salt, erased }: Name): string | undefined {
  if (user_id === null || salt === null)
    return erased ? undefined : `has lost ${what}, and no erasure is on record`;
  return pseudonymOf(Buffer.from(salt, 'hex'), user_id) === pseudonym
    ? undefined
    : `has another name for ${what} than it was written with`;
}

function personalFault(row: RowWithNames, keyring: Keyring): string | undefined {
  const { salt, before, after, client_address: address } = row;
  if (!salt) {
    if (before !== null || after !== null || address !== null) return 'has a changed address or other facts';
    return row.actor_name.erased || row.subject_name.erased
      ? undefined
      : 'has lost address and facts, and no erasure is on record';
  }
  try {
    const clientAddress = decryptAddress(keyring, row);
    return personalDigest(salt, { clientAddress, before, after }).equals(row.personal_digest)
      ? undefined
      : 'has a changed address or other facts';
  } catch (error) {
    return `has an address that cannot be decrypted: ${error instanceof Error ? error.message : String(error)}`;
  }
}
