import { type Database, sql, type Trx } from '../database/index.ts';
import type { Keyring } from '../security/index.ts';
import { addActors, insertRows } from './record.ts';

/** What puts an erasure on record. Its object is the pseudonym that loses its name. */
export const erasure = { action: 'user.erase', objectType: 'user' } as const;

/** Short locks, and far less than a statement may take: 100,000 rows at once took seconds. */
const rowsAtOnce = 2_000;

interface ForgetPorts {
  readonly database: Database;
  readonly keyring: Keyring;
}

/**
 * Puts the erasure of a user on record, and erases the addresses and facts of all rows in which the user has acted or is the subject, some at a time.
 * Broken off, it goes on when called again. The name stays until {@link forgetUser} takes it with the rest.
 */
export async function eraseFacts(
  { database, keyring }: ForgetPorts,
  userId: string,
  signal: AbortSignal,
): Promise<void> {
  const pseudonym = await database.transaction('begin to forget', signal, (trx) =>
    beginErasure(trx, keyring, userId),
  );
  const eraseSome = (trx: Trx) => eraseRows(trx, pseudonym, rowsAtOnce);
  while ((await database.transaction('erase facts', signal, eraseSome)) === rowsAtOnce);
}

/**
 * Erases a user from the trail: the name behind the pseudonym, and addresses and facts that {@link eraseFacts} has left. That it
 * was done, and by whom, stays on record under the pseudonym. A later act of the user gets another one.
 *
 * @param trx - of the erasure that this is a part of, which needs no row of its own besides
 */
export async function forgetUser(trx: Trx, keyring: Keyring, userId: string): Promise<void> {
  const pseudonym = await beginErasure(trx, keyring, userId);
  await eraseRows(trx, pseudonym);
  await trx.deleteFrom('audit_actors').where('pseudonym', '=', pseudonym).execute();
}

/** @returns the pseudonym, locked */
async function beginErasure(trx: Trx, keyring: Keyring, userId: string): Promise<string> {
  await addActors(trx, [userId]);
  // Waits for whoever is adding a row about this user, so that none is left out.
  const { pseudonym } = await trx
    .selectFrom('audit_actors')
    .select('pseudonym')
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const { action, objectType: type } = erasure;
  const begun = await trx
    .selectFrom('audit_log')
    .select('id')
    .where('object_type', '=', type)
    .where('object_id', '=', pseudonym)
    .where('action', '=', action)
    .limit(1)
    .executeTakeFirst();
  // Before anything is erased, so that the row of one who erases themselves is erased as well.
  if (!begun) await insertRows(trx, keyring, [{ action, object: { type, id: pseudonym } }], 'done');
  return pseudonym;
}

/** @returns how many */
async function eraseRows(trx: Trx, pseudonym: string, limit?: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    update audit_log set client_address = null, before = null, after = null, salt = null
    where id in (
      select id from audit_log where (actor = ${pseudonym} or subject = ${pseudonym}) and salt is not null
      limit ${limit ?? null} for update)`.execute(trx);
  return Number(numAffectedRows);
}
