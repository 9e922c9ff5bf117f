import { type Clock, type Lifecycle, startDeadline, toTimestamp } from '../core/index.ts';
import type { Database } from '../database/index.ts';
import { type Logger, outsideOfInvocations } from '../observability/index.ts';

interface KeyUsesPorts {
  readonly clock: Clock;
  readonly database: Database;
  readonly logger: Logger;
  /** Its end waits for what is being written. */
  readonly lifecycle: Pick<Lifecycle, 'begin'>;
}

/**
 * Takes down that a key was used, in the background: it never fails or delays a request.
 *
 * @param newHash - takes the place of the one that was read, which is by a secret that is on its way out
 */
export type NoteKeyUse = (id: string, newHash: Buffer | undefined) => void;

/** Whoever looks at a list of keys wants to know the day; a write for each request would be the most of all writes. */
const notedEveryMs = 60_000;
const writeLimitMs = 10_000;
/** Far more than anybody has keys in use; beyond that some are written more often. */
const maxRemembered = 10_000;

/** Makes the notes of uses, at most one a minute for each key: on this instance by memory, among instances by the row. */
export function createKeyUses({ clock, database, logger, lifecycle }: KeyUsesPorts): NoteKeyUse {
  const notedMs = new Map<string, number>();

  async function write(id: string, newHash: Buffer | undefined): Promise<void> {
    using activity = lifecycle.begin();
    using time = startDeadline(clock, writeLimitMs, activity.signal);
    const now = clock.now();
    try {
      await database.transaction('note use of API key', time.signal, async (trx) => {
        const key = trx.updateTable('api_keys').where('id', '=', id).where('revoked_at', 'is', null);
        if (newHash) await key.set({ hash: newHash }).execute();
        await key
          .set({ last_used_at: toTimestamp(now) })
          .where((where) =>
            where.or([
              where('last_used_at', 'is', null),
              where('last_used_at', '<=', new Date(now - notedEveryMs)),
            ]),
          )
          .execute();
      });
    } catch (error) {
      logger.warning('the use of an API key could not be noted', { error });
    }
  }

  return (id, newHash) => {
    const nowMs = clock.monotonicMs();
    const lastMs = notedMs.get(id);
    if (lastMs !== undefined && nowMs - lastMs < notedEveryMs) return;
    if (notedMs.size >= maxRemembered) notedMs.clear();
    notedMs.set(id, nowMs);
    void outsideOfInvocations(() => write(id, newHash));
  };
}
