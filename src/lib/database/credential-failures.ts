import { type RawBuilder, sql } from 'kysely';
import type { Db, Trx } from './database.ts';

/** So many failures in so long a time, counted to the moment and not by fixed periods, begin a block. */
const maxFailures = 20;
const windowLength = sql`interval '5 minutes'`;
const blockLength = sql`interval '15 minutes'`;

/** What one failure has come to for one subject. */
export interface FailureCount {
  /** Whom it was counted for: 32 bytes, in hex. */
  readonly subject: string;
  /** Milliseconds that a block lasts which this failure has begun; `undefined` where it has begun none. */
  readonly blockedMs: number | undefined;
}

/** A subject that is held back. */
export interface Block {
  readonly subject: string;
  readonly leftMs: number;
}

/** Rows that go in one statement: a few milliseconds of work. */
const removedAtOnce = 1_000;
/** Enough for any attack that the counts themselves can bear; those that end last are read. */
const maxBlocks = 10_000;

/**
 * Counts a failure for each subject. One statement, so that of many that come at the same time each has its own number; all
 * times are by the clock of the database, which all instances share. A failure that begins a block empties the count.
 *
 * @param subjects - in hex, in the same order of kinds in every call: two calls that lock the same rows must not wait for each other
 * @returns a count for each subject that was not held back already
 */
export async function countFailure(trx: Trx, subjects: readonly string[]): Promise<FailureCount[]> {
  const recent = sql`array(select failure from unnest(known.failed_at) as failure
    where failure > now() - ${windowLength})`;
  const beginsBlock = sql`cardinality(${recent}) + 1 >= ${maxFailures}`;
  const rows = subjects.map(
    (subject) => sql`(decode(${subject}, 'hex'), array[now()], now() + ${windowLength})`,
  );
  const counted = await sql<{ subject: string; blocked_ms: number | null }>`
    insert into credential_failures as known (subject, failed_at, expires_at) values ${sql.join(rows)}
    on conflict (subject) do update set
      failed_at = case when ${beginsBlock} then '{}' else ${recent} || now() end,
      blocked_until = case when ${beginsBlock} then now() + ${blockLength} end,
      expires_at = now() + case when ${beginsBlock} then ${blockLength} else ${windowLength} end
    where known.blocked_until is null or known.blocked_until <= now()
    returning encode(subject, 'hex') as subject,
      (extract(epoch from blocked_until - now()) * 1000)::float8 as blocked_ms`.execute(trx);
  return counted.rows.map(({ subject, blocked_ms }) => ({ subject, blockedMs: blocked_ms ?? undefined }));
}

/** Everybody who is held back now. */
export function findBlocks(db: Db): Promise<Block[]> {
  return blocksWhere(db, sql`true`);
}

/** Who of these is held back now. */
export function findBlocksOf(db: Db, subjects: readonly string[]): Promise<Block[]> {
  return blocksWhere(db, sql`subject in (${sql.join(subjects.map((one) => sql`decode(${one}, 'hex')`))})`);
}

async function blocksWhere(db: Db, condition: RawBuilder<unknown>): Promise<Block[]> {
  const { rows } = await sql<{ subject: string; left_ms: number }>`
    select encode(subject, 'hex') as subject,
      (extract(epoch from blocked_until - now()) * 1000)::float8 as left_ms
    from credential_failures where blocked_until > now() and ${condition}
    order by blocked_until desc limit ${maxBlocks}`.execute(db);
  return rows.map(({ subject, left_ms }) => ({ subject, leftMs: left_ms }));
}

/** Ends all blocks. @returns how many there were */
export async function liftBlocks(trx: Trx): Promise<number> {
  const { numAffectedRows = 0n } =
    await sql`delete from credential_failures where blocked_until > now()`.execute(trx);
  return Number(numAffectedRows);
}

/** Removes some of the counts that mean nothing any more. @returns whether there may be more */
export async function removeOldFailures(trx: Trx): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    delete from credential_failures where subject in (
      select subject from credential_failures where expires_at <= now()
      order by expires_at limit ${removedAtOnce} for update skip locked)`.execute(trx);
  return numAffectedRows === BigInt(removedAtOnce);
}
