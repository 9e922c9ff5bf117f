import { type Clock, newId, toTimestamp } from '../core/index.ts';
import type { Database, RecordAudit, Trx } from '../database/index.ts';
import type { Logger } from '../observability/index.ts';
import { closeAccess, deleteAnswers, forgetMaker } from './erase-access.ts';
import { eraseScans } from './erase-scans.ts';
import { ownKey } from './key-administration.ts';

interface ErasuresPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
  readonly audit: RecordAudit;
  /** Where photos are, of files as of scans. */
  readonly container: string;
  /** Writes a job down, together with what `alongside` writes, and calls a worker, who calls `run` with the subject. */
  enqueue(
    subject: string,
    signal: AbortSignal,
    alongside: (trx: Trx, jobId: string) => Promise<void>,
  ): Promise<{ readonly id: string }>;
  /** Erases the files of an owner. @throws AppError `unavailable` when it has to be called again */
  eraseFiles(
    order: { readonly ownerId: string; readonly pseudonym: string; readonly askedAt: number },
    signal: AbortSignal,
  ): Promise<void>;
  /** Removes the bytes of photos for good. */
  purge(blobNames: readonly string[], signal: AbortSignal): Promise<void>;
  /** Erases what the audit trail tells of a user's acts; before `forgetInAudit`, because it may be too much for one transaction. */
  eraseAuditFacts(userId: string, signal: AbortSignal): Promise<void>;
  /** Leaves of a user in the audit trail what tells nobody who it was, and on record that it was done. */
  forgetInAudit(trx: Trx, userId: string): Promise<void>;
}

/** Makes the erasure of one user's data. The job knows it by a random id only; whose data it is, a row tells until it is done. */
export function createErasures(ports: ErasuresPorts) {
  const { clock, logger, database, audit } = ports;
  return {
    /**
     * Asks for everything about a user to be erased. Nobody here knows which users there are: for an unknown one there is
     * nothing to do. Asked for twice, there are two jobs, and each does what the other has not done yet.
     *
     * @returns the job
     * @throws AppError `own_api_key` for the user that the key of this request is
     */
    async request(actor: string, userId: string, signal: AbortSignal): Promise<{ readonly id: string }> {
      if (actor === userId && userId.startsWith('key:')) throw ownKey();
      const id = newId();
      return ports.enqueue(id, signal, async (trx, jobId) => {
        await trx
          .insertInto('erasures')
          .values({ id, job_id: jobId, user_id: userId, created_at: toTimestamp(clock.now()) })
          .execute();
        await audit(trx, {
          action: 'user_data.erase',
          object: { type: 'erasure', id },
          subjectId: userId,
          after: { job_id: jobId },
        });
      });
    },

    /**
     * Erases. Every step can be done again, and the order goes last: killed anywhere, the next attempt does the rest.
     *
     * @throws AppError `unavailable` when another attempt has to go on
     */
    async run(id: string, signal: AbortSignal): Promise<void> {
      const order = await database.read('find erasure', signal, (db) =>
        db.selectFrom('erasures').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      if (!order) return logger.info('the erasure is done already', { erasure_id: id });
      const { user_id: userId, created_at: askedAt } = order;
      await database.transaction('close access', signal, (trx) =>
        closeAccess(trx, userId, toTimestamp(clock.now())),
      );
      await eraseScans(ports, userId, signal);
      await deleteAnswers(database, userId, signal);
      const pseudonym = `erased:${id}`;
      await ports.eraseFiles({ ownerId: userId, pseudonym, askedAt: askedAt.getTime() }, signal);
      await ports.eraseAuditFacts(userId, signal);
      await database.transaction('finish erasure', signal, async (trx) => {
        await forgetMaker(trx, userId);
        await ports.forgetInAudit(trx, userId);
        await trx.deleteFrom('erasures').where('id', '=', id).execute();
      });
      logger.info('the data of a user is erased', { erasure_id: id });
    },
  };
}
