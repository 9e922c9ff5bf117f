import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { AppError, isAppError, startDeadline, systemClock } from '../../../src/lib/core/index.ts';
import {
  createIdempotency,
  type Database,
  migrateToLatest,
  parseDatabaseUrl,
  type Trx,
} from '../../../src/lib/database/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { runStatements } from '../../support/own-postgres.ts';

let url: string;
let database: Database;
const warnings: string[] = [];

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  const clock = { ...systemClock, random: () => 0 };
  database = openDatabase(url, createResilience({ clock, settings: { breakerThreshold: 0 } }));
});
beforeEach(async () => {
  warnings.length = 0;
  await run('delete from idempotency_keys', 'delete from projects');
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

const { signal } = new AbortController();
const logger = {
  debug() {},
  info() {},
  warning: (message: string) => void warnings.push(message),
  error() {},
  child: () => logger,
};
const run = (...statements: string[]) => runStatements<Record<string, unknown>>(url, ...statements);
const idempotency = () => createIdempotency({ database, clock: systemClock, logger });

const anyRequest = {
  caller: 'key:a',
  route: 'POST /api/v1/projects',
  key: 'k-1',
  fingerprint: Buffer.alloc(32, 1),
};
const otherPayload = { fingerprint: Buffer.alloc(32, 2) };

async function addProject(trx: Trx): Promise<string> {
  const id = crypto.randomUUID();
  await trx.insertInto('projects').values({ id, name: 'test' }).execute();
  return id;
}

/** Makes a project, as an endpoint would. */
function make(changes: Partial<typeof anyRequest> = {}) {
  return idempotency().once({ ...anyRequest, ...changes }, signal, ({ record }) =>
    database.transaction('make', signal, async (trx) => {
      const id = await addProject(trx);
      await record(trx, { status: 201, headers: { location: `/p/${id}` }, body: { z: 1, id, a: null } });
    }),
  );
}

/** An attempt that fails. */
const fail = (error: unknown, changes: Partial<typeof anyRequest> = {}) =>
  idempotency()
    .once({ ...anyRequest, ...changes }, signal, () => Promise.reject(error))
    .catch((thrown) => thrown);

async function countProjects(): Promise<unknown> {
  const [row] = await run('select count(*)::int as n from projects');
  return row?.['n'];
}

const reused = { code: 'idempotency_key_reused', status: 422 };
const inUse = { code: 'idempotency_key_in_use', status: 409 };

describe('a request under a key', () => {
  it('has its effect once, and the same answer every time, its fields in their order', async () => {
    const first = await make();
    const again = await make();

    expect(first.replayed).toBe(false);
    expect(again).toEqual({ ...first, replayed: true });
    expect(JSON.stringify(again.body)).toBe(JSON.stringify(first.body));
    expect(await countProjects()).toBe(1);
  });

  it('is another one for another caller, route or key', async () => {
    const outcomes = [
      await make(),
      await make({ caller: 'key:b' }),
      await make({ route: 'POST /other' }),
      await make({ key: 'K-1' }),
    ];

    expect(outcomes.map(({ replayed }) => replayed)).toEqual([false, false, false, false]);
    expect(await countProjects()).toBe(4);
  });

  it('is refused with another payload, before and after it was answered', async () => {
    let during: unknown;
    await idempotency().once(anyRequest, signal, async ({ record }) => {
      during = await make(otherPayload).catch((error) => error);
      await database.transaction('make', signal, (trx) => record(trx, { status: 201, headers: {}, body: 1 }));
    });

    expect(during).toMatchObject(reused);
    await expect(make(otherPayload)).rejects.toMatchObject(reused);
    expect(await make()).toMatchObject({ body: 1, replayed: true });
  });

  it('is refused while the first one runs, and told when to come again', async () => {
    let during: unknown;
    await idempotency().once(anyRequest, signal, async ({ record }) => {
      during = await make().catch((error) => error);
      await database.transaction('make', signal, (trx) => record(trx, { status: 201, headers: {}, body: 1 }));
    });

    expect(during).toMatchObject({ ...inUse, retryAfterSeconds: 2 });
  });

  it('is carried out once by twenty that come at the same time', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => make()));

    const bodies = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value.body] : []));
    const others = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(others.filter((error) => !isAppError(error, 'idempotency_key_in_use'))).toEqual([]);
    expect(await countProjects()).toBe(1);
  });

  it('keeps neither effect nor answer when their transaction fails', async () => {
    const failed = await idempotency()
      .once(anyRequest, signal, ({ record }) =>
        database.transaction('make', signal, async (trx) => {
          await addProject(trx);
          await record(trx, { status: 201, headers: {}, body: 1 });
          throw new Error('changed my mind');
        }),
      )
      .catch((error) => error);

    expect(failed.message).toBe('changed my mind');
    expect(await countProjects()).toBe(0);
    expect(await make()).toMatchObject({ status: 201, replayed: false });
  });

  it('goes without a record when it has no key', async () => {
    const outcomes = [
      await idempotency().once(undefined, signal, async ({ reserved, reserve, recordApart }) => {
        await reserve('a name');
        await recordApart({ status: 202, headers: {}, body: { reserved } });
      }),
      await idempotency().once(undefined, signal, ({ record }) =>
        database.transaction('make', signal, async (trx) => {
          await addProject(trx);
          await record(trx, { status: 201, headers: {}, body: 1 });
        }),
      ),
    ];

    expect(outcomes).toEqual([
      { status: 202, headers: {}, body: {}, replayed: false },
      { status: 201, headers: {}, body: 1, replayed: false },
    ]);
    expect(await run('select * from idempotency_keys')).toEqual([]);
  });
});

describe('an attempt that fails', () => {
  it('by a refusal leaves the key as good as new', async () => {
    const refused = await fail(new AppError('not_found', 'There is no such thing'));

    expect(refused).toMatchObject({ code: 'not_found' });
    expect(await make(otherPayload)).toMatchObject({ replayed: false });
  });

  it.each([new Error('broken'), new AppError('unavailable', 'Storage is away')])(
    'by %s lets the same request try again at once, and no other',
    async (error) => {
      expect(await fail(error)).toBe(error);

      await expect(make(otherPayload)).rejects.toMatchObject(reused);
      expect(await make()).toMatchObject({ status: 201, replayed: false });
    },
  );

  it.each(['unavailable', 'conflict'] as const)('with %s cannot take its answer back', async (code) => {
    const failed = await idempotency()
      .once(anyRequest, signal, async ({ recordApart }) => {
        await recordApart({ status: 202, headers: {}, body: 'kept' });
        throw new AppError(code, 'The answer was lost on its way');
      })
      .catch((error) => error);

    expect(failed).toMatchObject({ code });
    expect(await make()).toMatchObject({ status: 202, body: 'kept', replayed: true });
  });

  it('leaves what it has reserved to the next one', async () => {
    await idempotency()
      .once(anyRequest, signal, async ({ reserve }) => {
        await reserve('backup-1');
        throw new Error('died');
      })
      .catch(() => {});

    const { body } = await idempotency().once(anyRequest, signal, ({ reserved, recordApart }) =>
      recordApart({ status: 202, headers: {}, body: reserved }),
    );

    expect(body).toBe('backup-1');
  });

  it('keeps what an earlier one has reserved, also when it is refused itself', async () => {
    await idempotency()
      .once(anyRequest, signal, async ({ reserve }) => {
        await reserve('backup-1');
        throw new Error('died');
      })
      .catch(() => {});

    const refused = await fail(new AppError('backup_running', 'Another one is running'));
    const { body } = await idempotency().once(anyRequest, signal, ({ reserved, recordApart }) =>
      recordApart({ status: 202, headers: {}, body: reserved }),
    );

    expect(refused).toMatchObject({ code: 'backup_running' });
    expect(body).toBe('backup-1');
  });

  it('holds its key no longer than it may run, when it cannot give it back', async () => {
    using time = startDeadline(systemClock, 5_000);
    await idempotency()
      .once(anyRequest, time.signal, async () => {
        await run('alter table idempotency_keys rename to away');
        throw new Error('died');
      })
      .catch(() => {});
    await run('alter table away rename to idempotency_keys');

    const [row] = await run(
      'select extract(epoch from claimed_until - now())::float as left from idempotency_keys',
    );

    expect(warnings).toEqual(['an idempotency key could not be given back yet']);
    expect(row?.['left']).toBeGreaterThan(50);
    expect(row?.['left']).toBeLessThanOrEqual(65);
    await expect(make()).rejects.toMatchObject(inUse);
    await run(`update idempotency_keys set claimed_until = now() - interval '1 second'`);
    expect(await make()).toMatchObject({ replayed: false });
  });

  it('holds its key for as long as any request may run, when nobody says how long this one may', async () => {
    await idempotency()
      .once(anyRequest, signal, async () => {
        await run('update idempotency_keys set claim = gen_random_uuid()');
        throw new Error('died');
      })
      .catch(() => {});

    const [row] = await run(
      'select extract(epoch from claimed_until - now())::float as left from idempotency_keys',
    );

    expect(row?.['left']).toBeGreaterThan(270);
    expect(row?.['left']).toBeLessThanOrEqual(280);
  });

  it.each(['record', 'reserve', 'recordApart'] as const)(
    'that another one has taken over from can %s nothing',
    async (way) => {
      const late = idempotency().once(anyRequest, signal, async (attempt) => {
        await run(`update idempotency_keys set claimed_until = now() - interval '1 second'`);
        await make();
        if (way === 'reserve') await attempt.reserve('a name');
        else if (way === 'recordApart') await attempt.recordApart({ status: 201, headers: {}, body: 'late' });
        else
          await database.transaction('make', signal, async (trx) => {
            await addProject(trx);
            await attempt.record(trx, { status: 201, headers: {}, body: 'late' });
          });
      });

      await expect(late).rejects.toMatchObject(inUse);
      expect(await countProjects()).toBe(1);
      expect(await make()).toMatchObject({ body: { z: 1 }, replayed: true });
    },
  );
});

describe('an answer', () => {
  it('that holds a secret is not kept; who asks again is told what has been done', async () => {
    const secret = {
      status: 201,
      headers: { location: '/k/7' },
      body: 'csk_secret',
      holdsSecret: true,
    } as const;

    const first = await idempotency().once(anyRequest, signal, ({ recordApart }) => recordApart(secret));
    const again = await make().catch((error) => error);

    expect(first.body).toBe('csk_secret');
    expect(again).toMatchObject({ code: 'already_done', status: 409, headers: { location: '/k/7' } });
    expect(again.message).toContain('/k/7');
    expect(JSON.stringify(await run('select * from idempotency_keys'))).not.toContain('csk_secret');
  });

  it('may have no body', async () => {
    const bare = { status: 202, headers: {}, body: undefined };
    await idempotency().once(anyRequest, signal, ({ recordApart }) => recordApart(bare));

    expect(await make()).toEqual({ status: 202, headers: {}, body: null, replayed: true });
  });

  it('that is too large to be kept fails the request, and leaves no effect', async () => {
    const failed = await idempotency()
      .once(anyRequest, signal, ({ record }) =>
        database.transaction('make', signal, async (trx) => {
          await addProject(trx);
          await record(trx, { status: 201, headers: {}, body: 'ż'.repeat(40_000) });
        }),
      )
      .catch((error) => error);

    expect(failed.message).toMatch(/^an answer of POST .* is too large to be kept: 80002 bytes$/);
    expect(await countProjects()).toBe(0);
  });

  it('has to be recorded', async () => {
    const silent = idempotency().once(anyRequest, signal, async () => {});

    await expect(silent).rejects.toThrow('without recording its answer');
  });
});

describe('a key', () => {
  it('is as good as new after 24 hours, also for another payload', async () => {
    await make();
    const [row] = await run(
      'select extract(epoch from expires_at - now())::float as left from idempotency_keys',
    );
    await run(`update idempotency_keys set claimed_until = now() - interval '2 hours', reserved = 'old',
      expires_at = now() - interval '1 second'`);

    const later = await make(otherPayload);
    const kept = await run('select reserved, expires_at > now() as fresh from idempotency_keys');

    expect(row?.['left']).toBeGreaterThan(86_390);
    expect(row?.['left']).toBeLessThanOrEqual(86_400);
    expect(later).toMatchObject({ replayed: false });
    expect(kept).toEqual([{ reserved: null, fresh: true }]);
    expect(await countProjects()).toBe(2);
  });

  it('is removed when it is over, in batches; those in use stay', async () => {
    await make();
    await run(`insert into idempotency_keys (caller, route, key, fingerprint, claim, claimed_until, expires_at)
      select 'c', 'r', n::text, sha256(''), gen_random_uuid(), now() - interval '2 days', now() - interval '1 day'
      from generate_series(1, 2500) as n`);

    await idempotency().removeExpired(signal);

    expect(await run('select caller from idempotency_keys')).toEqual([{ caller: 'key:a' }]);
  });

  it('is removed by one of two that tidy up at the same time, without waiting for each other', async () => {
    await run(`insert into idempotency_keys (caller, route, key, fingerprint, claim, claimed_until, expires_at)
      select 'c', 'r', n::text, sha256(''), gen_random_uuid(), now() - interval '2 days', now() - interval '1 day'
      from generate_series(1, 1500) as n`);

    await Promise.all([idempotency().removeExpired(signal), idempotency().removeExpired(signal)]);
    await idempotency().removeExpired(signal);

    expect(await run('select from idempotency_keys')).toEqual([]);
  });
});
