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

/** A use that is still to be written. */
interface Use {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly newHash: Buffer | undefined;
}

/**
 * Makes the notes of uses, at most one a minute for each key: on this instance by memory, among instances by the row. They are
 * written one after the other, so that keys that are all used at once leave the database to requests.
 */
export function createKeyUses({ clock, database, logger, lifecycle }: KeyUsesPorts): NoteKeyUse {
  const notedMs = new Map<string, number>();
  const waiting = new Map<string, Use>();
  let isWriting = false;

  function write(id: string, { at, newHash }: Use, signal: AbortSignal): Promise<void> {
    return database.transaction('note use of API key', signal, async (trx) => {
      const key = trx.updateTable('api_keys').where('id', '=', id).where('revoked_at', 'is', null);
      if (newHash) await key.set({ hash: newHash }).execute();
      await key
        .set({ last_used_at: toTimestamp(at) })
        .where((where) =>
          where.or([
            where('last_used_at', 'is', null),
            where('last_used_at', '<=', new Date(at - notedEveryMs)),
          ]),
        )
        .execute();
    });
  }

  async function writeWaiting(): Promise<void> {
    using activity = lifecycle.begin();
    isWriting = true;
    try {
      for (const [id, use] of waiting) {
        waiting.delete(id);
        using time = startDeadline(clock, writeLimitMs, activity.signal);
        await write(id, use, time.signal);
      }
    } catch (error) {
      // The rest would fare no better; a key that is used again is noted again.
      logger.warning('the use of API keys could not be noted', { error, keys: waiting.size + 1 });
      waiting.clear();
    } finally {
      isWriting = false;
    }
  }

  return (id, newHash) => {
    const nowMs = clock.monotonicMs();
    const lastMs = notedMs.get(id);
    if (lastMs !== undefined && nowMs - lastMs < notedEveryMs) return;
    if (notedMs.size >= maxRemembered) notedMs.clear();
    notedMs.set(id, nowMs);
    waiting.set(id, { at: clock.now(), newHash });
    if (!isWriting) void outsideOfInvocations(writeWaiting);
  };
}
