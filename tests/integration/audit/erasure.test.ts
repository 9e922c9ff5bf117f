import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import type { Database } from '../../../src/lib/database/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import { as, fileEntry, openTrail, secretKey, signal, type TestTrail } from './set-up.ts';

const forget = ({ database, trail }: TestTrail, by: string, userId: string) =>
  as(by, () => database.transaction('forget', signal, (trx) => trail.forget(trx, userId)));

describe('an erasure', () => {
  it('takes the name, the addresses and the facts, and leaves the rest provable', async () => {
    const made = await openTrail();
    const { trail, act, run } = made;
    await act('user-1', fileEntry('f1'));
    await act('admin', fileEntry('f2', { subjectId: 'user-1' }), fileEntry('f3'));
    await trail.seal(signal);

    await forget(made, 'admin', 'user-1');

    const { data } = await trail.list({ per_page: 10 }, signal);
    const pseudonym = data[3]?.actor;
    expect(data).toMatchObject([
      {
        actor: 'admin',
        action: 'user.erase',
        object: { type: 'user', id: pseudonym },
        client_address: '203.0.113.7',
      },
      { actor: 'admin', object: { id: 'f3' }, after: { name: 'f3.png' } },
      { actor: 'admin', object: { id: 'f2' }, subject: pseudonym },
      { actor: expect.stringMatching(/^[0-9a-f-]{36}$/), object: { id: 'f1' } },
    ]);
    for (const row of data.slice(2))
      for (const erased of ['client_address', 'before', 'after']) expect(row).not.toHaveProperty(erased);
    const everything = await run(
      'select row_to_json(l)::text as text from audit_log l union all select row_to_json(a)::text from audit_actors a',
    );
    expect(JSON.stringify(everything)).not.toContain('user-1');
    expect(await trail.list({ per_page: 10, actor: pseudonym }, signal)).toMatchObject({ total: 1 });
    await trail.seal(signal);
    expect(await trail.verify(1, signal)).toMatchObject({ rows: 4, broken: undefined });
  });

  it('of one who has done much goes on where it broke off, and is on record once, and nothing seems tampered with meanwhile', async () => {
    const made = await openTrail();
    const { trail, act, again, database } = made;
    for (let n = 0; n < 5; n++)
      await act('user-1', ...Array.from({ length: 900 }, (_, row) => fileEntry(`f${n}-${row}`)));
    await trail.seal(signal);
    let calls = 0;
    const failing: Database = {
      ...database,
      transaction: (...call) =>
        ++calls === 3 ? Promise.reject(new Error('broke off')) : database.transaction(...call),
    };
    const left = async () => (await made.run('select from audit_log where after is not null')).length;

    await expect(again({ database: failing }).eraseFacts('user-1', signal)).rejects.toThrow('broke off');
    const [leftMeanwhile, meanwhile] = [await left(), await trail.verify(1, signal)];
    await trail.eraseFacts('user-1', signal);
    const leftForTheLast = await left();
    await forget(made, 'admin', 'user-1');
    await trail.seal(signal);

    expect([leftMeanwhile, leftForTheLast]).toEqual([2_500, 0]);
    expect(meanwhile).toMatchObject({ rows: 4_500, broken: undefined });
    expect(await trail.list({ per_page: 1, action: 'user.erase' }, signal)).toMatchObject({ total: 1 });
    expect(await trail.verify(1, signal)).toMatchObject({ rows: 4_501, broken: undefined });
  });

  it('excuses no row of anybody else', async () => {
    const made = await openTrail();
    const { trail, act, tamper } = made;
    await act('user-1', fileEntry('f1'));
    await act('user-2', fileEntry('f2'));
    await trail.seal(signal);
    await forget(made, 'admin', 'user-1');

    await tamper(
      'update audit_log set client_address = null, before = null, after = null, salt = null where id = 2',
    );

    expect((await trail.verify(1, signal)).broken).toEqual({
      seal: 1,
      row: 2,
      fault: 'has lost address and facts, and no erasure is on record',
    });
  });

  it('of oneself, of somebody unknown, and twice, is on record each time', async () => {
    const made = await openTrail();
    const { trail } = made;

    await forget(made, 'user-1', 'user-1');
    await forget(made, 'admin', 'nobody');
    await forget(made, 'admin', 'nobody');

    const { data } = await trail.list({ per_page: 10 }, signal);
    expect(data.map(({ action }) => action)).toEqual(['user.erase', 'user.erase', 'user.erase']);
    expect(new Set(data.map(({ object }) => object.id)).size).toBe(3);
    expect(data[2]?.actor).toBe(data[2]?.object.id);
    expect(data[2]).not.toHaveProperty('client_address');
    await trail.seal(signal);
    expect(await trail.verify(1, signal)).toMatchObject({ rows: 3, broken: undefined });
  });

  it('waits for what the user is doing, and leaves none of it out', async () => {
    const made = await openTrail();
    const { trail, act, database, url } = made;
    await act('user-1', fileEntry('f1'));
    const { promise: written, resolve: tellWritten } = Promise.withResolvers<void>();
    const { promise: going, resolve: goOn } = Promise.withResolvers<void>();
    const acting = as('user-1', () =>
      database.transaction('act', signal, async (trx) => {
        await trail.record(trx, fileEntry('f2'));
        tellWritten();
        await going;
      }),
    );
    await written;
    const erasing = forget(made, 'admin', 'user-1');
    const watch = new pg.Client(url);
    await watch.connect();
    await vi.waitUntil(
      async () => {
        const { rows } = await watch.query(
          `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        );
        return rows.length === 1;
      },
      { timeout: 5_000 },
    );
    // Begun while the erasure waits: it gets a pseudonym of its own afterwards.
    const late = act('user-1', fileEntry('f3'));

    goOn();
    await Promise.all([acting, erasing, late]);
    await watch.end();

    const { data } = await trail.list({ per_page: 10 }, signal);
    const of = (id: string) => data.find(({ object }) => object.id === id);
    expect(of('f1')).not.toHaveProperty('client_address');
    expect(of('f2')).not.toHaveProperty('client_address');
    expect(of('f2')?.actor).toBe(of('f1')?.actor);
    expect(of('f3')).toMatchObject({ actor: 'user-1', client_address: '203.0.113.7' });
    await trail.seal(signal);
    expect((await trail.verify(1, signal)).broken).toBeUndefined();
  });
});

describe('encrypting anew', () => {
  const newKey = 'another secret of at least 32 bytes, for tests';
  const rotating = createKeyring(() => ({ current: newKey, previous: secretKey }));

  it('makes the previous key unnecessary, changes no seal, and is done once', async () => {
    const made = await openTrail();
    const { trail, act, again } = made;
    for (let n = 0; n < 3; n++) await act('user-1', fileEntry(`f${n}`));
    await act('user-2', fileEntry('erased'));
    await trail.seal(signal);
    await forget(made, 'admin', 'user-2');

    const changed = await again({ keyring: rotating }).reencrypt(signal);
    const changedAgain = await again({ keyring: rotating }).reencrypt(signal);

    const after = again({ keyring: createKeyring(newKey) });
    expect([changed, changedAgain]).toEqual([4, 0]);
    expect(await after.verify(1, signal)).toMatchObject({ rows: 4, broken: undefined });
    expect((await after.list({ per_page: 1, object_id: 'f1' }, signal)).data).toMatchObject([
      { client_address: '203.0.113.7' },
    ]);
  });

  it('goes on where it broke off', async () => {
    const { act, again, database, trail } = await openTrail();
    await act('user-1', ...Array.from({ length: 600 }, (_, n) => fileEntry(`f${n}`)));
    let batches = 0;
    const failing = {
      ...database,
      transaction: ((...call) =>
        ++batches === 2
          ? Promise.reject(new Error('broke off'))
          : database.transaction(...call)) as typeof database.transaction,
    };

    await expect(again({ keyring: rotating, database: failing }).reencrypt(signal)).rejects.toThrow(
      'broke off',
    );

    expect(await again({ keyring: rotating }).reencrypt(signal)).toBe(100);
    await trail.seal(signal);
    expect(await again({ keyring: rotating }).verify(1, signal)).toMatchObject({
      rows: 600,
      broken: undefined,
    });
  });

  it('encrypts all others anew where the key of one is gone, and is told', async () => {
    const { act, again, run } = await openTrail();
    const elsewhere = again({ keyring: createKeyring('a secret that nobody has any more, 32 bytes') });
    await act('user-1', fileEntry('f1'));
    await as('user-1', () => elsewhere.note([fileEntry('f2')], signal));
    await act('user-1', fileEntry('f3'));

    await expect(again({ keyring: rotating }).reencrypt(signal)).rejects.toMatchObject({
      code: 'field_key_missing',
    });

    const rows = await run('select client_address from audit_log order by id');
    const isCurrent = rows.map(({ client_address: bytes }) => rotating.isCurrent(bytes as Buffer));
    expect(isCurrent).toEqual([true, false, true]);
  });

  it('is told of an address whose key is gone, by verifying too', async () => {
    const { act, again, trail } = await openTrail();
    await act('user-1', fileEntry('f1'));
    await trail.seal(signal);
    const withoutKey = again({ keyring: createKeyring(newKey) });

    await expect(withoutKey.reencrypt(signal)).rejects.toMatchObject({ code: 'field_key_missing' });

    expect((await withoutKey.verify(1, signal)).broken).toMatchObject({
      seal: 1,
      row: 1,
      fault: expect.stringContaining('cannot be decrypted'),
    });
  });
});
