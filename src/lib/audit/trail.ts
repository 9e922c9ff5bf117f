import { type Clock, startDeadline } from '../core/index.ts';
import { type AuditEntry, type Database, type RecordAudit, sql, type Trx } from '../database/index.ts';
import type { Cursors } from '../http/index.ts';
import type { Logger } from '../observability/index.ts';
import type { Keyring } from '../security/index.ts';
import type { BlobStore } from '../storage/index.ts';
import { createRefusals, type NoteRefusal } from './refusals.ts';
import type { AuditListQuery } from './shapes.ts';

interface TrailPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
  readonly keyring: Keyring;
  readonly cursors: Cursors;
  /** In the backup account, where what is written can be changed by nobody for a time. */
  readonly archive: BlobStore;
}

/** Who orders a breaker while the database is down does not wait longer for the trail. */
const emergencyMs = 2_000;

export type AuditTrail = ReturnType<typeof createAuditTrail>;

/** Makes the audit trail: who did what to which object. Parts that few invocations need are loaded by those. */
export function createAuditTrail(ports: TrailPorts) {
  const { clock, logger, database, keyring } = ports;
  const insert = async (trx: Trx, entries: readonly AuditEntry[], result: 'done' | 'refused') =>
    (await import('./record.ts')).insertRows(trx, keyring, entries, result);
  const record: RecordAudit = (trx, ...entries) => insert(trx, entries, 'done');
  const write = (
    entries: readonly AuditEntry[],
    signal: AbortSignal,
    { result = 'done', ignoresOrders = false }: { result?: 'done' | 'refused'; ignoresOrders?: boolean } = {},
  ) =>
    database.transaction('write audit rows', signal, (trx) => insert(trx, entries, result), {
      ignoresOrders,
    });
  const noteRefusal: NoteRefusal = createRefusals({
    clock,
    logger,
    write: (entry, signal) => write([entry], signal, { result: 'refused' }),
  });

  return {
    record,
    noteRefusal,

    note: async (entries: readonly AuditEntry[], signal: AbortSignal): Promise<void> => {
      if (entries.length > 0) await write(entries, signal);
    },

    /**
     * The same for what an operator must be able to do while the database is down, or held back by an order: then only the
     * log tells of it. Never rejects.
     */
    async noteIfPossible(entries: readonly AuditEntry[], signal: AbortSignal): Promise<void> {
      using time = startDeadline(clock, emergencyMs, signal);
      await write(entries, time.signal, { ignoresOrders: true }).catch((error: unknown) =>
        logger.error('an act could not be written into the audit trail', { entries, error }),
      );
    },

    /** One page, newest first. */
    list: async (query: AuditListQuery, signal: AbortSignal) =>
      (await import('./list.ts')).listTrail(ports, query, signal),

    /** Seals what has no seal, and archives the seals. */
    seal: async (signal: AbortSignal): Promise<void> =>
      (await import('./sealing.ts')).sealTrail(ports, signal),

    /** Compares rows, seals and archive, from a seal on, to the first that is not as it was. */
    verify: async (from: number, signal: AbortSignal) =>
      (await import('./verify.ts')).verifyTrail(ports, from, signal),

    /** Puts the erasure of a user on record, and erases addresses and facts, some at a time; the name stays until `forget`. */
    eraseFacts: async (userId: string, signal: AbortSignal): Promise<void> =>
      (await import('./forget.ts')).eraseFacts(ports, userId, signal),

    /** Erases a user from the trail, whole or not at all, and puts that on record. */
    forget: async (trx: Trx, userId: string): Promise<void> =>
      (await import('./forget.ts')).forgetUser(trx, keyring, userId),

    /** Encrypts under the current key what is not; gives how many values that were. */
    reencrypt: async (signal: AbortSignal, onProgress?: (done: number) => void): Promise<number> =>
      (await import('./reencrypt.ts')).reencryptAddresses(ports, signal, onProgress),

    /** Age of the oldest row that has no seal yet, in seconds; 0 when there is none. */
    unsealedAgeSeconds: (signal: AbortSignal): Promise<number> =>
      database.read('find oldest unsealed row', signal, async (db) => {
        const oldest = await db
          .selectFrom('audit_log')
          .select(sql<number>`extract(epoch from now() - at)::float8`.as('age'))
          .where('seal', 'is', null)
          .orderBy('id')
          .limit(1)
          .executeTakeFirst();
        return Math.max(0, oldest?.age ?? 0);
      }),
  };
}
