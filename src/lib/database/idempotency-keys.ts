import { sql } from 'kysely';
import { AppError } from '../core/index.ts';
import type { Trx } from './database.ts';

/** A key under which a client may send a request again: its own among those of one caller for one route. */
export interface IdempotencyKey {
  readonly caller: string;
  readonly route: string;
  /** 1 to 255 visible ASCII characters. */
  readonly key: string;
}

/** A request that came under a key. */
export interface KeyedRequest extends IdempotencyKey {
  /** SHA-256 of what is asked for: the same request, sent again, has the same. */
  readonly fingerprint: Buffer;
}

/** A key while one attempt at its request holds it. */
export interface Hold extends KeyedRequest {
  /** Tells this attempt from one that took over when this one seemed dead. */
  readonly claim: string;
}

/** An answer as it is kept. */
export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Anything JSON can say. */
  readonly body: unknown;
  /** The body is not kept then, and who asks again is told that it has been done; the headers say what. */
  readonly holdsSecret?: true;
}

/** What somebody finds who reaches for a key. */
export type Found =
  /** The key is ours; `reserved` is what an attempt that broke off had left there. */
  | { readonly kind: 'claimed'; readonly reserved: string | undefined }
  | { readonly kind: 'answered'; readonly answer: RecordedAnswer }
  | { readonly kind: 'running' }
  | { readonly kind: 'reused' };

/** The largest answer, that of an upload with 8 KiB of metadata, is a fifth of it. The table holds the same rule. */
const maxBodyBytes = 65_536;

/** Rows that go in one statement: a few milliseconds of work. */
const expiredAtOnce = 1_000;

/**
 * Takes a key that nobody has used in the last 24 hours, or whose attempt broke off. One statement, so that of two that
 * come at the same time one gets it. All times are by the clock of the database, which all instances share.
 */
export async function claimKey(trx: Trx, hold: Hold, claimSeconds: number): Promise<Found> {
  const { rows } = await sql<{ reserved: string | null }>`
    insert into idempotency_keys as known (caller, route, key, fingerprint, claim, claimed_until, expires_at)
    values (${hold.caller}, ${hold.route}, ${hold.key}, ${hold.fingerprint}, ${hold.claim},
            now() + make_interval(secs => ${claimSeconds}), now() + interval '24 hours')
    on conflict (caller, route, key) do update set
      fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until,
      reserved = case when known.expires_at > now() then known.reserved end,
      answer_status = null, answer_headers = null, answer_body = null,
      created_at = now(), expires_at = excluded.expires_at
    where known.expires_at <= now()
      or (known.answer_status is null and known.claimed_until <= now()
          and known.fingerprint = excluded.fingerprint)
    returning reserved`.execute(trx);
  return rows[0] ? { kind: 'claimed', reserved: rows[0].reserved ?? undefined } : await lookUp(trx, hold);
}

async function lookUp(trx: Trx, hold: Hold): Promise<Found> {
  const row = await trx
    .selectFrom('idempotency_keys')
    .select([
      'fingerprint',
      'answer_status',
      'answer_headers',
      sql<string | null>`answer_body::text`.as('body'),
    ])
    .where('caller', '=', hold.caller)
    .where('route', '=', hold.route)
    .where('key', '=', hold.key)
    .executeTakeFirst();
  // Gone since the statement before: whoever held it has just given it back.
  if (!row) return { kind: 'running' };
  if (!row.fingerprint.equals(hold.fingerprint)) return { kind: 'reused' };
  const { answer_status: status, answer_headers: headers, body } = row;
  if (status === null || headers === null) return { kind: 'running' };
  const kept = body === null ? { body: undefined, holdsSecret: true as const } : { body: JSON.parse(body) };
  return { kind: 'answered', answer: { status, headers, ...kept } };
}

/** Leaves a note for whoever takes over when this attempt breaks off. @throws AppError `idempotency_key_in_use` */
export async function reserveUnderKey(trx: Trx, hold: Hold, reserved: string): Promise<void> {
  requireHeld(await heldRow(trx, hold).set({ reserved }).executeTakeFirst());
}

/**
 * Keeps the answer of this attempt.
 *
 * @throws AppError `idempotency_key_in_use` when another attempt has taken over; the transaction must not commit then
 */
export async function recordAnswer(trx: Trx, hold: Hold, answer: RecordedAnswer): Promise<void> {
  const body = answer.holdsSecret ? null : JSON.stringify(answer.body ?? null);
  if (body !== null && Buffer.byteLength(body) > maxBodyBytes)
    throw new Error(`an answer of ${hold.route} is too large to be kept: ${Buffer.byteLength(body)} bytes`);
  const kept = {
    answer_status: answer.status,
    answer_headers: JSON.stringify(answer.headers),
    answer_body: body,
  };
  requireHeld(await heldRow(trx, hold).set(kept).executeTakeFirst());
}

/** Lets the next one try the same request. Leaves alone what has an answer or belongs to another attempt by now. */
export async function letKeyGo(trx: Trx, hold: Hold): Promise<void> {
  await heldRow(trx, hold).set({ claimed_until: sql<string>`now()` }).execute();
}

/** Forgets a key whose request changed nothing, so that it may come with another payload. */
export async function forgetKey(trx: Trx, hold: Hold): Promise<void> {
  await trx
    .deleteFrom('idempotency_keys')
    .where('caller', '=', hold.caller)
    .where('route', '=', hold.route)
    .where('key', '=', hold.key)
    .where('claim', '=', hold.claim)
    .where('answer_status', 'is', null)
    .execute();
}

/** Removes some of the keys that are older than 24 hours. @returns whether there may be more */
export async function removeExpiredKeys(trx: Trx): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    delete from idempotency_keys where (caller, route, key) in (
      select caller, route, key from idempotency_keys where expires_at <= now()
      order by expires_at limit ${expiredAtOnce} for update skip locked)`.execute(trx);
  return numAffectedRows === BigInt(expiredAtOnce);
}

function heldRow(trx: Trx, hold: Hold) {
  return trx
    .updateTable('idempotency_keys')
    .where('caller', '=', hold.caller)
    .where('route', '=', hold.route)
    .where('key', '=', hold.key)
    .where('claim', '=', hold.claim)
    .where('answer_status', 'is', null);
}

function requireHeld({ numUpdatedRows }: { readonly numUpdatedRows: bigint }): void {
  if (numUpdatedRows === 0n)
    throw new AppError('idempotency_key_in_use', 'Another attempt at this request has taken over');
}
