import { AppError, type Clock, isAppError, newId, remainingMs, startDeadline } from '../core/index.ts';
import type { Logger } from '../observability/index.ts';
import type { Database, Trx } from './database.ts';
import {
  claimKey,
  type Found,
  forgetKey,
  type Hold,
  type KeyedRequest,
  letKeyGo,
  type RecordedAnswer,
  recordAnswer,
  removeExpiredKeys,
  reserveUnderKey,
} from './idempotency-keys.ts';

/** One attempt at a request: what it does becomes final together with the record of its answer. */
export interface Attempt {
  /** What an attempt that broke off had reserved under the same key. */
  readonly reserved: string | undefined;
  /** Writes down what the effect will be called, before it begins; for effects outside of the database. */
  reserve(name: string): Promise<void>;
  /**
   * Records the answer in the transaction that makes the effect visible. A request without a key has no record.
   *
   * @throws AppError `idempotency_key_in_use` when another attempt has taken over; then the transaction must not commit
   */
  record(trx: Trx, answer: RecordedAnswer): Promise<void>;
  /** Records the answer of an effect outside of the database, which the next attempt finds by what was reserved. */
  recordApart(answer: RecordedAnswer): Promise<void>;
}

/** The answer of a request, and whether it is one from before. */
export interface Outcome extends RecordedAnswer {
  readonly replayed: boolean;
}

/** Requests that have their effect once, however often they are sent. */
export interface Idempotency {
  /**
   * Has `effect` happen once for all requests of the same caller, route and key in 24 hours; all get the same answer.
   * `effect` records it, exactly once. An attempt that breaks off leaves the key to the next one: it may be running
   * still then, so no two attempts may share what only one of them can undo.
   *
   * @param request - undefined without a key: `effect` just happens
   * @throws AppError `idempotency_key_in_use` while another attempt runs, `idempotency_key_reused` for another request
   *   under the same key, `already_done` for an answer that held a secret
   */
  once(
    request: KeyedRequest | undefined,
    signal: AbortSignal,
    effect: (attempt: Attempt) => Promise<void>,
  ): Promise<Outcome>;
  /** Removes keys that are older than 24 hours, in batches. */
  removeExpired(signal: AbortSignal): Promise<void>;
}

interface IdempotencyPorts {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** No request runs longer: the platform cuts it off after 230 s. */
const longestRunMs = 220_000;
/**
 * What may come after the end of a request's time, so that the next attempt begins when it is over: noting for 10 s that no
 * worker could be called, withdrawing the backup for 30 s, giving the key back.
 */
const afterRunMs = 60_000;
/** One round trip; a key that could not be given back is free when the claim on it has run out. */
const giveBackMs = 3_000;
/** What a client should wait for an attempt that is under way: most take a second. */
const retryAfterSeconds = 2;
/** Bounds one run: 20,000 keys every 5 minutes are 67 requests a second, day and night. */
const maxBatches = 20;

/** Makes the memory for requests under a key. */
export function createIdempotency(ports: IdempotencyPorts): Idempotency {
  const { database } = ports;
  return {
    async once(request, signal, effect) {
      if (!request) return { ...(await carryOut(effect, withoutKey)), replayed: false };
      const hold = { ...request, claim: newId() };
      const found = await database
        .transaction('claim key', signal, (trx) => claimKey(trx, hold, claimSeconds(signal)))
        .catch((error) => giveBack(ports, hold, error));
      if (found.kind !== 'claimed') return replay(found);
      const answer = await carryOut(effect, attemptWith(database, hold, found.reserved, signal)).catch(
        (error) => giveBack(ports, hold, error, found.reserved),
      );
      return { ...answer, replayed: false };
    },
    async removeExpired(signal) {
      for (let batch = 1; batch <= maxBatches; batch++)
        if (!(await database.transaction('remove expired keys', signal, removeExpiredKeys))) return;
    },
  };
}

/** A request without a key has nobody to tell of its answer but its client. */
const withoutKey: Attempt = {
  reserved: undefined,
  reserve: async () => {},
  record: async () => {},
  recordApart: async () => {},
};

function attemptWith(
  database: Database,
  hold: Hold,
  reserved: string | undefined,
  signal: AbortSignal,
): Attempt {
  return {
    reserved,
    reserve: (name) =>
      database.transaction('reserve under key', signal, (trx) => reserveUnderKey(trx, hold, name)),
    record: (trx, answer) => recordAnswer(trx, hold, answer),
    recordApart: (answer) =>
      database.transaction('record answer', signal, (trx) => recordAnswer(trx, hold, answer)),
  };
}

/** The answer is the one that the effect has recorded: there is no other way to get one. */
async function carryOut(
  effect: (attempt: Attempt) => Promise<void>,
  attempt: Attempt,
): Promise<RecordedAnswer> {
  let recorded: RecordedAnswer | undefined;
  await effect({
    ...attempt,
    async record(trx, answer) {
      await attempt.record(trx, answer);
      recorded = answer;
    },
    async recordApart(answer) {
      await attempt.recordApart(answer);
      recorded = answer;
    },
  });
  if (!recorded) throw new Error('a request has ended without recording its answer');
  return recorded;
}

/** As long as whoever has the signal may run, and what comes after. */
function claimSeconds(signal: AbortSignal): number {
  return Math.ceil((Math.min(remainingMs(signal), longestRunMs) + afterRunMs) / 1000);
}

function replay(found: Exclude<Found, { kind: 'claimed' }>): Outcome {
  if (found.kind === 'reused')
    throw new AppError('idempotency_key_reused', 'This key came with another request in the last 24 hours');
  if (found.kind === 'running')
    throw new AppError('idempotency_key_in_use', 'The first request with this key is still running', {
      retryAfterSeconds,
    });
  const { headers, holdsSecret } = found.answer;
  if (!holdsSecret) return { ...found.answer, replayed: true };
  const what = headers['location'] ?? 'the request';
  throw new AppError('already_done', `${what} is done; its answer was shown once`, { headers });
}

/**
 * Gives the key of a failed attempt back and passes its error on. A refusal (4xx) has changed nothing, so the key is as
 * good as new, unless an attempt before may have changed something. After any other error nobody knows, so the key stays
 * bound to its request, for the next attempt. Has its own time: what ended the attempt may be that its time was over.
 *
 * @param reserved - by an attempt before
 */
async function giveBack(
  { database, clock, logger }: IdempotencyPorts,
  hold: Hold,
  error: unknown,
  reserved?: string,
): Promise<never> {
  using time = startDeadline(clock, giveBackMs);
  const isUndone = isAppError(error) && error.status < 500 && reserved === undefined;
  await database
    .transaction('give key back', time.signal, (trx) =>
      isUndone ? forgetKey(trx, hold) : letKeyGo(trx, hold),
    )
    .catch((failure) => {
      logger.warning('an idempotency key could not be given back yet', { route: hold.route, error: failure });
    });
  throw error;
}
