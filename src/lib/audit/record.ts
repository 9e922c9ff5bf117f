import { newId, newSecret } from '../core/index.ts';
import { type AuditEntry, sql, type Trx } from '../database/index.ts';
import { currentContext } from '../observability/index.ts';
import type { Keyring } from '../security/index.ts';
import { encryptAddress } from './client-address.ts';
import { type AuditRow, personalDigest, pseudonymOf } from './hashes.ts';

/** Of `before` and `after`, each; what is larger is left out, and said to be. */
const maxFactsBytes = 4 * 1024;
const saltBytes = 16;
const actorSaltBytes = 32;
/** A pseudonym can go, by an erasure, between being made and being used. */
const maxTries = 5;

/**
 * Adds rows, in one statement; a second and a third one for somebody who has no pseudonym yet. Who acts, from where and in
 * which request comes from the present invocation.
 *
 * @param trx - of what the rows tell of
 */
export async function insertRows(
  trx: Trx,
  keyring: Keyring,
  entries: readonly AuditEntry[],
  result: AuditRow['result'],
): Promise<void> {
  if (entries.length === 0) return;
  const context = currentContext();
  const actorId = context?.userId ?? actorWithoutName(context);
  const correlationId = context?.correlationId ?? newId();
  const users = [...new Set([actorId, ...entries.map(({ subjectId }) => subjectId ?? actorId)])];
  const rows = entries.map((entry) => valuesOf(entry, actorId, context?.clientAddress ?? null, keyring));
  for (let tries = 0; tries < maxTries; tries++) {
    // The lock makes an erasure wait for us, and us for an erasure: no row is left out of one that is under way.
    const { numAffectedRows } = await sql`
      with people as (
        select user_id, pseudonym from audit_actors where user_id in (${sql.join(users)}) for key share
      )
      insert into audit_log (actor, subject, action, object_type, object_id, result, correlation_id,
                             client_address, before, after, salt, personal_digest)
      select actor.pseudonym, subject.pseudonym, action, object_type, object_id, ${result}, ${correlationId},
             client_address, before, after, salt, personal_digest
      from (values ${sql.join(rows)}) as entry (subject_id, action, object_type, object_id,
             client_address, before, after, salt, personal_digest)
      join people as actor on actor.user_id = ${actorId}
      left join people as subject on subject.user_id = entry.subject_id
      where (select count(*) from people) = ${users.length}`.execute(trx);
    if (numAffectedRows === BigInt(rows.length)) return;
    await addActors(trx, users);
  }
  throw new Error('somebody in the audit trail is erased again and again');
}

function valuesOf(
  { action, object, subjectId, ...facts }: AuditEntry,
  actorId: string,
  clientAddress: string | null,
  keyring: Keyring,
) {
  const salt = newSecret(saltBytes);
  const before = bounded(facts.before);
  const after = bounded(facts.after);
  const subject = subjectId === undefined || subjectId === actorId ? null : subjectId;
  return sql`(${subject}::text, ${action}::text, ${object.type}::text, ${object.id}::text,
    ${encryptAddress(keyring, clientAddress, salt)}::bytea, ${jsonOf(before)}::jsonb, ${jsonOf(after)}::jsonb,
    ${salt}::bytea, ${personalDigest(salt, { clientAddress, before, after })}::bytea)`;
}

function bounded(facts: AuditEntry['before']): AuditEntry['before'] {
  const sizeBytes = facts === undefined ? 0 : Buffer.byteLength(JSON.stringify(facts));
  return sizeBytes > maxFactsBytes ? { left_out_bytes: sizeBytes } : facts;
}

function jsonOf(facts: AuditEntry['before']): string | null {
  return facts === undefined ? null : JSON.stringify(facts);
}

/** Makes the pseudonyms that are missing. */
export async function addActors(trx: Trx, users: readonly string[]): Promise<void> {
  // In one order everywhere, so that two who make the same ones wait for one another and not each for the other.
  const rows = users.toSorted().map((userId) => {
    const salt = newSecret(actorSaltBytes);
    return { pseudonym: pseudonymOf(salt, userId), user_id: userId, salt };
  });
  await trx
    .insertInto('audit_actors')
    .values(rows)
    .onConflict((conflict) => conflict.column('user_id').doNothing())
    .execute();
}

/** Timers and jobs act for the app; whoever calls over the network has an address, and may have no name. */
function actorWithoutName(context: ReturnType<typeof currentContext>): string {
  if (context?.clientAddress !== undefined) return 'system:anonymous';
  return `system:${context?.functionName ?? 'process'}`;
}
