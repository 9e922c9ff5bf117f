import { AppError, type Clock, isAppError, singleFlight, startDeadline } from '../core/index.ts';
import {
  countFailure,
  type Database,
  findBlocks,
  findBlocksOf,
  liftBlocks,
  type RecordAudit,
  removeOldFailures,
  type Trx,
} from '../database/index.ts';
import { networkOf } from '../http/index.ts';
import { currentContext, type Logger, type Metrics } from '../observability/index.ts';
import {
  type Credentials,
  type GuardCredentials,
  isFailedCredential,
  type Keyring,
  parseApiKey,
} from '../security/index.ts';

interface CredentialGuardPorts {
  readonly clock: Clock;
  readonly database: Database;
  readonly keyring: Keyring;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly audit: RecordAudit;
}

/**
 * Holds back whoever has shown 20 bad credentials in 5 minutes, for 15 minutes and on all instances. From an address that is
 * held back nothing is looked at. For a key that is, bad secrets only are held back: its id is no secret, and whoever has seen
 * it must not be able to shut its owner out.
 */
export interface CredentialGuard {
  readonly guard: GuardCredentials;
  /** Ends all blocks; other instances know it within ten seconds. @returns how many there were */
  lift(signal: AbortSignal): Promise<number>;
  /** Removes counts that mean nothing any more, in batches. */
  removeOld(signal: AbortSignal): Promise<void>;
}

/** What failures are counted for: the network a request comes from, and the key it names. */
interface Subject {
  readonly kind: 'address' | 'api_key';
  /** Keyed hash, in hex: the table holds no address and no name of a key. */
  readonly hash: string;
}

/** How long a block that began on another instance may go unnoticed here. */
const blocksAreFreshMs = 10_000;
/** A round trip takes a millisecond; where the database is away, requests do not wait for longer because of a count. */
const readMs = 1_000;
const countMs = 3_000;
/** Bounds one run of the removal: an attack from ten thousand addresses leaves 200,000 rows behind, which two runs remove. */
const maxBatches = 100;

/** Makes the guard. The counts are exact over all instances, because the database makes them. */
export function createCredentialGuard(ports: CredentialGuardPorts): CredentialGuard {
  const { clock, database, keyring, logger, metrics } = ports;
  const failures = metrics.counter('credential_failures_total', 'Credentials that were refused');
  const begun = metrics.counter('credential_blocks_total', 'Blocks begun after too many bad credentials');
  /** When those who are held back may come again, by the clock that does not jump. */
  const blockedUntilMs = new Map<string, number>();
  let readAtMs = Number.NEGATIVE_INFINITY;

  const note = (subject: string, leftMs: number) => blockedUntilMs.set(subject, clock.monotonicMs() + leftMs);

  const readBlocks = singleFlight(async () => {
    const startedMs = clock.monotonicMs();
    const known = [...blockedUntilMs.keys()];
    using time = startDeadline(clock, readMs);
    try {
      // Whoever takes back an order on the breaker of the database proves first who they are.
      const found = await database.read('read blocks', time.signal, findBlocks, { ignoresOrders: true });
      // Over, or lifted by an operator; what was noted meanwhile stays.
      for (const subject of known) blockedUntilMs.delete(subject);
      for (const { subject, leftMs } of found) note(subject, leftMs);
    } catch (error) {
      logger.warning('it could not be read who is held back; what was known stands', { error });
    }
    readAtMs = startedMs;
  });

  async function refuseBlocked(subjects: () => readonly Subject[]): Promise<void> {
    if (clock.monotonicMs() - readAtMs >= blocksAreFreshMs) await readBlocks();
    // Nobody is held back, as nearly always: then no hash is made.
    if (blockedUntilMs.size === 0) return;
    const address = subjects().find(({ kind }) => kind === 'address');
    const leftMs = (blockedUntilMs.get(address?.hash ?? '') ?? 0) - clock.monotonicMs();
    if (leftMs > 0) throw heldBack(leftMs);
  }

  /** In one transaction with its rows in the audit trail; a request that is refused for an earlier block counts nowhere. */
  async function count(trx: Trx, subjects: readonly Subject[]) {
    const hashes = subjects.map(({ hash }) => hash);
    const counted = await countFailure(trx, hashes);
    if (counted.length < subjects.length) {
      const blocks = await findBlocksOf(trx, hashes);
      for (const { subject, leftMs } of blocks) note(subject, leftMs);
      throw heldBack(Math.max(0, ...blocks.map(({ leftMs }) => leftMs)));
    }
    const blocks = counted.flatMap(({ subject, blockedMs }) =>
      blockedMs === undefined ? [] : { ...kindOf(subject, subjects), blockedMs },
    );
    for (const { kind, hash, blockedMs } of blocks)
      await ports.audit(trx, {
        action: 'credential.block',
        object: { type: kind, id: hash },
        after: { blocked_seconds: Math.round(blockedMs / 1000) },
      });
    return blocks;
  }

  /** Has its own time: whoever hangs up at once, or asks for an answer in a millisecond, is counted too. */
  async function noteFailure(subjects: readonly Subject[]): Promise<void> {
    failures.add({});
    using time = startDeadline(clock, countMs);
    try {
      const blocks = await database.transaction('count failed credential', time.signal, (trx) =>
        count(trx, subjects),
      );
      for (const { kind, hash, blockedMs } of blocks) {
        note(hash, blockedMs);
        begun.add({ subject: kind });
        logger.warning('too many credentials have failed: no more are looked at for a while', {
          subject: kind,
          subject_hash: hash.slice(0, 16),
          blocked_ms: Math.round(blockedMs),
        });
      }
    } catch (error) {
      if (isAppError(error, 'too_many_failures')) throw error;
      logger.warning('a failed credential could not be counted', { error });
    }
  }

  return {
    async guard(credentials, look) {
      const given = Object.values(credentials).some((value) => value !== undefined);
      if (!given) return await look();
      const subjects = () => subjectsOf(credentials, keyring);
      await refuseBlocked(subjects);
      try {
        return await look();
      } catch (error) {
        if (isFailedCredential(error)) await noteFailure(subjects());
        throw error;
      }
    },
    lift: (signal) =>
      database.transaction('lift blocks', signal, async (trx) => {
        const blocks = await liftBlocks(trx);
        await ports.audit(trx, {
          action: 'credential.unblock',
          object: { type: 'credential', id: 'all' },
          after: { blocks },
        });
        return blocks;
      }),
    async removeOld(signal) {
      for (let batch = 1; batch <= maxBatches; batch++)
        if (!(await database.transaction('remove old failures', signal, removeOldFailures))) return;
    },
  };
}

/** The address always first: two transactions that count for the same subjects lock them in the same order. */
function subjectsOf({ apiKey }: Credentials, keyring: Keyring): readonly Subject[] {
  const address = networkOf(currentContext()?.clientAddress ?? 'unknown');
  // What a token says of itself anybody may have written, so there is nothing of it to count by.
  const keyId = apiKey === undefined ? undefined : parseApiKey(apiKey)?.id;
  const subject = (kind: Subject['kind'], name: string): Subject => ({
    kind,
    hash: keyring.sign('credential-failures', `${kind}\n${name}`).toString('hex'),
  });
  return [subject('address', address), ...(keyId === undefined ? [] : [subject('api_key', keyId)])];
}

function kindOf(hash: string, subjects: readonly Subject[]): Subject {
  return subjects.find((subject) => subject.hash === hash) ?? { kind: 'address', hash };
}

function heldBack(leftMs: number): AppError {
  return new AppError(
    'too_many_failures',
    `Too many credentials have failed; come again in ${inMinutes(leftMs)}. Until then good ones are refused too`,
    {
      retryAfterSeconds: leftMs / 1000,
    },
  );
}

function inMinutes(ms: number): string {
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}
