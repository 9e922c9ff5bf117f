import type { Trx } from '../database/index.ts';
import type { Keyring } from '../security/index.ts';
import { addActors, insertRows } from './record.ts';

/** What puts an erasure on record. Its object is the pseudonym that lost its name. */
export const erasure = { action: 'user.erase', objectType: 'user' } as const;

/**
 * Erases a user from the trail: the name behind the pseudonym, and addresses and facts of all rows in which the user acted or
 * is the subject. That it was done, and by whom, stays on record under the pseudonym. A later act of the user gets another one.
 *
 * @param trx - of the erasure that this is a part of, which needs no row of its own besides
 */
export async function forgetUser(trx: Trx, keyring: Keyring, userId: string): Promise<void> {
  await addActors(trx, [userId]);
  // Waits for whoever is adding a row about this user, so that none is left out.
  const { pseudonym } = await trx
    .selectFrom('audit_actors')
    .select('pseudonym')
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const { action, objectType: type } = erasure;
  // First, so that the row of one who erases themselves is erased as well.
  await insertRows(trx, keyring, [{ action, object: { type, id: pseudonym } }], 'done');
  await trx
    .updateTable('audit_log')
    .set({ client_address: null, before: null, after: null, salt: null })
    .where((row) => row.or([row('actor', '=', pseudonym), row('subject', '=', pseudonym)]))
    .where('salt', 'is not', null)
    .execute();
  await trx.deleteFrom('audit_actors').where('pseudonym', '=', pseudonym).execute();
}
