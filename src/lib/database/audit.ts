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

/** Leaves a row in the audit trail, in the transaction of what it tells of: both happen, or neither does. */
export type RecordAudit = (trx: Trx, entry: AuditEntry) => Promise<void>;
