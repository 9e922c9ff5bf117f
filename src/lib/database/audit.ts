import type { Trx } from './database.ts';

/** Something that was done to an object, for the audit trail. Who did it, from where and in which request, the trail knows by itself. */
export interface AuditEntry {
  /** Kind of object and verb, as `api_key.revoke`. */
  readonly action: string;
  readonly object: { readonly type: string; readonly id: string };
  /** Whose data it is about, where that is not who acts. */
  readonly subjectId?: string;
  /** Of a change, only what has changed: small, and never a secret. */
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/** Leaves rows in the audit trail, in the transaction of what they tell of: both happen, or neither does. */
export type RecordAudit = (trx: Trx, ...entries: readonly AuditEntry[]) => Promise<void>;

/** Leaves rows in a transaction of their own, for what happens outside of the database. */
export type NoteAudit = (entries: readonly AuditEntry[], signal: AbortSignal) => Promise<void>;
