import { requireTime } from '../core/index.ts';
import { type Database, sql, type Trx } from '../database/index.ts';

/** A few milliseconds of work. */
const answersAtOnce = 1_000;
const leastTimeMs = 10_000;

/** Ends the key, if the user is one, and takes the user out of all projects. The key's row stays, without a name. */
export async function closeAccess(trx: Trx, userId: string, now: string): Promise<void> {
  if (userId.startsWith('key:'))
    await trx
      .updateTable('api_keys')
      .set({ name: 'erased', revoked_at: sql<string>`coalesce(revoked_at, ${now}::timestamptz)` })
      .where('id', '=', userId.slice('key:'.length))
      .execute();
  await trx.deleteFrom('project_members').where('user_id', '=', userId).execute();
}

/** Deletes the answers that are kept for the user to ask for again: they tell of files. */
export async function deleteAnswers(database: Database, userId: string, signal: AbortSignal): Promise<void> {
  const deleteSome = (trx: Trx) =>
    sql`
      delete from idempotency_keys where caller = ${userId} and (route, key) in (
        select route, key from idempotency_keys where caller = ${userId} limit ${answersAtOnce})`.execute(
      trx,
    );
  let deleted = 0n;
  do {
    requireTime(signal, leastTimeMs);
    deleted = (await database.transaction('erase answers', signal, deleteSome)).numAffectedRows ?? 0n;
  } while (deleted > 0n);
}

/** The keys that the user has made for others go on working; who made them is not known any more. */
export async function forgetMaker(trx: Trx, userId: string): Promise<void> {
  await trx.updateTable('api_keys').set({ created_by: null }).where('created_by', '=', userId).execute();
}
