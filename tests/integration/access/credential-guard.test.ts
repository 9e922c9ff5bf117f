import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createCredentialGuard } from '../../../src/lib/access/index.ts';
import { AppError, type Clock, isAppError, systemClock } from '../../../src/lib/core/index.ts';
import {
  type AuditEntry,
  type Database,
  migrateToLatest,
  parseDatabaseUrl,
} from '../../../src/lib/database/index.ts';
import { createMetrics, runInContext } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createKeyring, newApiKey } from '../../../src/lib/security/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { runStatements } from '../../support/own-postgres.ts';

let url: string;
let databases: readonly Database[];

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  databases = [openDatabase(url, resilience()), openDatabase(url, resilience())];
});
beforeEach(async () => {
  await run('delete from credential_failures');
});
afterAll(async () => {
  await Promise.all(databases.map((database) => database.close()));
  await dropDatabase(url);
});

const run = (...statements: string[]) => runStatements<Record<string, unknown>>(url, ...statements);
const resilience = () =>
  createResilience({
    clock: { ...systemClock, random: () => 0 },
    settings: { breakerThreshold: 0 },
    bulkheadSizes: { postgres: 10 },
  });
const keyring = createKeyring('k'.repeat(32));
const unauthorized = () => Promise.reject(new AppError('unauthorized', 'no'));
const newKey = () => newApiKey(keyring).text;

/** One instance of the app, at a clock of its own. */
function instance(database: Database | undefined = databases[0], clock: Clock = systemClock) {
  if (!database) throw new Error('there is no database');
  const warnings: Record<string, unknown>[] = [];
  const audited: AuditEntry[] = [];
  const logger = {
    debug() {},
    info() {},
    warning: (message: string, fields: object = {}) => void warnings.push({ message, ...fields }),
    error() {},
    child: () => logger,
  };
  const metrics = createMetrics('i1');
  const { guard, lift, removeOld } = createCredentialGuard({
    clock,
    database,
    keyring,
    logger,
    metrics,
    audit: async (_trx, entry) => void audited.push(entry),
  });
  /** The status that a request gets: 401 where its credential was looked at and refused, 200 where it was accepted. */
  const ask = (
    clientAddress: string,
    apiKey: string | undefined,
    look: () => Promise<unknown> = unauthorized,
  ) =>
    runInContext(
      { correlationId: 'c', functionName: 'f', requestId: 'r', clientAddress, write: undefined },
      () => guard({ apiKey, authorization: undefined, clientPrincipal: undefined }, look),
    ).then(
      () => 200,
      (error) => (isAppError(error) ? error.status : error),
    );
  const fail = async (times: number, clientAddress: string, apiKey: () => string = newKey) => {
    const statuses: number[] = [];
    for (let index = 0; index < times; index++) statuses.push(await ask(clientAddress, apiKey()));
    return statuses;
  };
  return { ask, audited, fail, guard, lift, metrics, removeOld, warnings };
}

const accept = async () => 'a caller';
const tally = (statuses: readonly unknown[]) => ({
  refused: statuses.filter((status) => status === 401).length,
  heldBack: statuses.filter((status) => status === 429).length,
});

describe('failed credentials', () => {
  it.each<[string, (index: number) => string, () => () => string]>([
    ['of one address', () => '192.0.2.1', () => newKey],
    [
      'of one key id, from everywhere',
      (index) => `192.0.2.${index}`,
      () => {
        const key = newKey();
        return () => key;
      },
    ],
    [
      'of one address and one key id',
      () => '192.0.2.1',
      () => {
        const key = newKey();
        return () => key;
      },
    ],
    ['of one IPv6 network', (index) => `2001:db8::${index.toString(16)}`, () => newKey],
  ])('%s are exact, 200 at once over two instances', async (_, addressOf, keys) => {
    const instances = [instance(databases[0]), instance(databases[1])];
    const nextKey = keys();

    const statuses = await Promise.all(
      Array.from({ length: 200 }, (_, index) => instances[index % 2]?.ask(addressOf(index), nextKey())),
    );

    expect(tally(statuses)).toEqual({ refused: 20, heldBack: 180 });
  });

  it('of different addresses and keys have nothing to do with each other', async () => {
    const { ask, fail } = instance();

    await fail(20, '192.0.2.1');

    expect(await ask('192.0.2.1', newKey())).toBe(429);
    expect(await ask('192.0.2.2', newKey())).toBe(401);
  });

  it('hold a good credential back too, without a look at it, until the block is over', async () => {
    const clock = fakeClock();
    const { ask, fail } = instance(databases[0], clock);
    await fail(20, '192.0.2.1');
    let looks = 0;
    const look = async () => ++looks;

    const held = await ask('192.0.2.1', newKey(), look);
    await run(`update credential_failures set blocked_until = now() + interval '1 second'`);
    await clock.advance(15 * 60_000 - 1_000);
    const stillHeld = await ask('192.0.2.1', newKey(), look);
    await run('update credential_failures set blocked_until = now()');
    await clock.advance(2_000);
    const over = await ask('192.0.2.1', newKey(), look);

    expect([held, stillHeld, over, looks]).toEqual([429, 429, 200, 1]);
  });

  it('for a key do not shut its owner out, only those who guess', async () => {
    const { ask, fail } = instance();
    const other = instance(databases[1]);
    const key = newKey();
    for (let index = 0; index < 20; index++) await fail(1, `192.0.2.${index}`, () => key);

    expect(await ask('198.51.100.1', key)).toBe(429);
    expect(await ask('198.51.100.1', key, accept)).toBe(200);
    expect(await other.ask('198.51.100.2', key)).toBe(429);
    expect(await other.ask('198.51.100.2', key, accept)).toBe(200);
  });

  it('are forgotten by all instances when an operator says so', async () => {
    const clock = fakeClock();
    const [here, there] = [instance(databases[0], clock), instance(databases[1], clock)];
    await here.fail(20, '192.0.2.1');
    const held = [
      await here.ask('192.0.2.1', newKey(), accept),
      await there.ask('192.0.2.1', newKey(), accept),
    ];

    const lifted = await there.lift(AbortSignal.timeout(5_000));
    await clock.advance(10_000);
    const after = [
      await here.ask('192.0.2.1', newKey(), accept),
      await there.ask('192.0.2.1', newKey(), accept),
    ];

    expect([held, lifted, after]).toEqual([[429, 429], 1, [200, 200]]);
    expect(there.audited).toMatchObject([{ action: 'credential.unblock', after: { blocks: 1 } }]);
  });

  it('say when to come again', async () => {
    const { fail, guard } = instance();
    const key = newKey();
    await fail(20, '192.0.2.1', () => key);

    const refusal = await guard(
      { apiKey: key, authorization: undefined, clientPrincipal: undefined },
      unauthorized,
    ).catch((error) => error);

    expect(refusal).toMatchObject({ code: 'too_many_failures', status: 429 });
    expect(refusal.retryAfterSeconds).toBeGreaterThan(890);
    // The end of a block is kept to the millisecond, rounded.
    expect(refusal.retryAfterSeconds).toBeLessThan(900.001);
  });

  it('count for five minutes, each by itself', async () => {
    const { fail } = instance();

    await fail(19, '192.0.2.1');
    await run(`update credential_failures set failed_at =
      array(select at - interval '5 minutes' from unnest(failed_at[1:1]) as at) || failed_at[2:]`);
    const next = await fail(3, '192.0.2.1');

    expect(next).toEqual([401, 401, 429]);
  });

  it('begin anew after a block', async () => {
    const { fail } = instance(databases[0], fakeClock());
    await fail(20, '192.0.2.1');

    await run('update credential_failures set blocked_until = now()');
    const statuses = await instance(databases[1]).fail(21, '192.0.2.1');

    expect(tally(statuses)).toEqual({ refused: 20, heldBack: 1 });
  });

  it('are known to other instances after ten seconds, with one read in them for all requests', async () => {
    const clock = fakeClock();
    const other = instance(databases[1], clock);
    await other.ask('192.0.2.1', newKey(), accept);
    await instance().fail(20, '192.0.2.1');

    await clock.advance(9_999);
    const before = await other.ask('192.0.2.1', newKey(), accept);
    await clock.advance(1);
    const after = await Promise.all([1, 2, 3].map(() => other.ask('192.0.2.1', newKey(), accept)));

    expect([before, ...after]).toEqual([200, 429, 429, 429]);
  });

  it('of an other instance are noticed by the next failure, at once', async () => {
    const other = instance(databases[1], fakeClock());
    await other.ask('192.0.2.1', newKey(), accept);
    await instance().fail(20, '192.0.2.1');

    const statuses = [await other.ask('192.0.2.1', newKey()), await other.ask('192.0.2.1', newKey(), accept)];

    expect(statuses).toEqual([429, 429]);
  });

  it('are told of once: one line, one row of the audit trail and one count, none with address or key', async () => {
    const { audited, fail, metrics, warnings } = instance();
    const key = newKey();

    await fail(25, '192.0.2.1', () => key);

    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(warnings).toMatchObject([{ subject: 'address' }, { subject: 'api_key' }]);
    expect(audited).toEqual([
      {
        action: 'credential.block',
        object: { type: 'address', id: hash },
        after: { blocked_seconds: 900 },
      },
      {
        action: 'credential.block',
        object: { type: 'api_key', id: hash },
        after: { blocked_seconds: 900 },
      },
    ]);
    const kept = JSON.stringify([warnings, audited, await run('select * from credential_failures')]);
    expect(kept).not.toContain('192.0.2.1');
    expect(kept).not.toContain(key.slice(4, 20));
    const text = await metrics.render();
    expect(text).toMatch(/^credential_failures_total\{instance="i1"\} 20$/m);
    expect(text).toMatch(/^credential_blocks_total\{subject="address",instance="i1"\} 1$/m);
  });

  it('are none without a credential, nor when something else went wrong, nor those that have expired', async () => {
    const { ask } = instance();
    const expired = new AppError('unauthorized', 'no', { cause: { refused: 'expired', hasExpired: true } });

    await ask('192.0.2.1', undefined);
    await ask('192.0.2.1', newKey(), () => Promise.reject(new AppError('forbidden', 'no')));
    await ask('192.0.2.1', newKey(), () => Promise.reject(new AppError('unavailable', 'no')));
    await ask('192.0.2.1', newKey(), () => Promise.reject(expired));

    expect(await run('select * from credential_failures')).toEqual([]);
  });

  it('are forgotten when they mean nothing any more', async () => {
    const { fail, removeOld } = instance();
    await fail(1, '192.0.2.1');
    await fail(1, '192.0.2.2');
    await run(`update credential_failures set expires_at = now()
      where subject in (select subject from credential_failures limit 2)`);

    await removeOld(new AbortController().signal);

    expect(await run('select * from credential_failures')).toHaveLength(2);
  });
});

describe('without a database', () => {
  it('a bad credential stays refused and a good one accepted; what was known stands', async () => {
    const clock = fakeClock();
    const database = openDatabase(url, resilience());
    const { ask, fail, warnings } = instance(database, { ...systemClock, monotonicMs: clock.monotonicMs });
    await fail(20, '192.0.2.1');
    await database.close();
    await clock.advance(10_000);

    const statuses = [
      await ask('192.0.2.1', newKey(), accept),
      await ask('192.0.2.2', newKey()),
      await ask('192.0.2.2', newKey(), accept),
    ];

    expect(statuses).toEqual([429, 401, 200]);
    expect(warnings.slice(1)).toMatchObject([
      { message: 'it could not be read who is held back; what was known stands' },
      { message: 'a failed credential could not be counted' },
    ]);
  });
});
