import { describe, expect, it } from 'vitest';
import { as, fileEntry, openTrail, signal } from './set-up.ts';

describe('a row of the audit trail', () => {
  it('says who did what to which object, from where and in which request', async () => {
    const { trail, database } = await openTrail();
    const entry = fileEntry('f1', { subjectId: 'owner', before: { name: 'a' }, after: { name: 'b' } });

    await as('user-1', () => trail.note([entry], signal), 'correlation-1');
    const { data } = await trail.list({ per_page: 10 }, signal);
    const [row] = await database.read('look', signal, (db) =>
      db.selectFrom('audit_log').selectAll().execute(),
    );

    expect(data).toEqual([
      {
        id: 1,
        at: expect.any(String),
        actor: 'user-1',
        subject: 'owner',
        action: 'file.upload',
        object: { type: 'file', id: 'f1' },
        result: 'done',
        client_address: '203.0.113.7',
        correlation_id: 'correlation-1',
        before: { name: 'a' },
        after: { name: 'b' },
        sealed: false,
      },
    ]);
    expect(row?.client_address?.toString('latin1')).not.toContain('203.0.113.7');
    expect(JSON.stringify(row)).not.toMatch(/user-1|owner/);
  });

  it('is there when what it tells of is, and only then', async () => {
    const { trail, database } = await openTrail();

    await database.transaction('make', signal, (trx) => trail.record(trx, fileEntry('kept')));
    const failing = database.transaction('make', signal, async (trx) => {
      await trail.record(trx, fileEntry('lost'));
      throw new Error('not today');
    });

    await expect(failing).rejects.toThrow('not today');
    const { data } = await trail.list({ per_page: 10 }, signal);
    expect(data).toMatchObject([{ actor: 'system:process', object: { id: 'kept' } }]);
    expect(data[0]).not.toHaveProperty('client_address');
  });

  it('leaves out facts that are too many, and says so', async () => {
    const { trail, act } = await openTrail();

    await act('user-1', fileEntry('f1', { after: { text: 'x'.repeat(5_000) } }));

    expect((await trail.list({ per_page: 1 }, signal)).data).toMatchObject([
      { after: { left_out_bytes: 5_011 } },
    ]);
  });

  it('is written also when many act for the first time at once, for themselves and for one another', async () => {
    const { trail, act } = await openTrail();
    const users = Array.from({ length: 8 }, (_, index) => `user-${index}`);

    await Promise.all(
      users.flatMap((user, index) => [
        act(user, fileEntry('f1', { subjectId: users[(index + 1) % 8] ?? '' }), fileEntry('f2')),
        act(user, fileEntry('f3', { subjectId: user })),
      ]),
    );

    const { data, total } = await trail.list({ per_page: 50 }, signal);
    expect(total).toBe(24);
    expect(new Set(data.map(({ actor }) => actor)).size).toBe(8);
    expect(data.filter(({ subject }) => subject !== undefined)).toHaveLength(8);
  });
});

describe('the audit trail', () => {
  it('is listed newest first, page by page, by what all is asked for', async () => {
    const { trail, act, run } = await openTrail();
    for (let n = 1; n <= 5; n++) await act(`user-${n % 2}`, fileEntry(`f${n % 3}`));
    await act('user-1', { action: 'file.delete', object: { type: 'file', id: 'f1' } });
    await trail.seal(signal);
    const [last] = await run(
      'select at::text as iso, correlation_id from audit_log order by id desc limit 1',
    );
    const list = async (filters: object) =>
      (await trail.list({ per_page: 50, ...filters }, signal)).data.map(({ id }) => id);

    const seen: number[] = [];
    let page = await trail.list({ per_page: 4 }, signal);
    for (;;) {
      seen.push(...page.data.map(({ id }) => id));
      if (page.next_cursor === null) break;
      page = await trail.list({ per_page: 4, cursor: page.next_cursor }, signal);
    }
    const at = new Date(String(last?.['iso'])).toISOString();

    expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await list({ actor: 'user-1' })).toEqual([6, 5, 3, 1]);
    expect(await list({ object_type: 'file', object_id: 'f1' })).toEqual([6, 4, 1]);
    expect(await list({ object_id: 'f1', action: 'file.upload', actor: 'user-1' })).toEqual([1]);
    expect(await list({ correlation_id: last?.['correlation_id'] })).toEqual([6]);
    expect(await list({ from: at })).toContain(6);
    expect(await list({ to: at })).not.toContain(6);
    expect(await list({ actor: 'nobody' })).toEqual([]);
    expect(page.data.every(({ sealed }) => sealed)).toBe(true);
  });

  it('is listed also where an address is damaged, without that', async () => {
    const { trail, act, tamper, lines } = await openTrail();
    await act('user-1', fileEntry('f1'), fileEntry('f2'));
    await tamper(`update audit_log set client_address = 'x' where id = 1`);

    const { data } = await trail.list({ per_page: 10 }, signal);

    expect(data.map(({ id, client_address: address }) => [id, address])).toEqual([
      [2, '203.0.113.7'],
      [1, undefined],
    ]);
    expect(lines).toEqual(['an address in the audit trail cannot be decrypted']);
  });

  it('refuses the cursor of other filters', async () => {
    const { trail, act } = await openTrail();
    await act('user-1', fileEntry('f1'), fileEntry('f2'));
    const { next_cursor: cursor } = await trail.list({ per_page: 1 }, signal);

    const listing = trail.list({ per_page: 1, actor: 'user-2', cursor: cursor ?? '' }, signal);

    await expect(listing).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it.each([
    ['a row removed', 'delete from audit_log'],
    ['its rows removed at once', 'truncate audit_log'],
    ['a row changed', `update audit_log set action = 'file.delete'`],
    ['facts changed', `update audit_log set after = '{}'`],
    ['an address removed', 'update audit_log set client_address = null'],
    ['a row unsealed', 'update audit_log set seal = null'],
    ['a row sealed again', 'update audit_log set seal = 2'],
    ['a seal removed', 'delete from audit_seals'],
    ['its seals removed at once', 'truncate audit_seals'],
    ['a seal changed', `update audit_seals set sealed_at = now()`],
    ['a name changed', `update audit_actors set user_id = 'somebody'`],
  ])('does not have %s, not even by the owner', async (_, statement) => {
    const { trail, act, run } = await openTrail();
    await act('user-1', fileEntry('f1'));
    await trail.seal(signal);

    await expect(run(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('has nothing erased given back', async () => {
    const { trail, act, run, database } = await openTrail();
    await act('user-1', fileEntry('f1'));
    await database.transaction('forget', signal, (trx) => trail.forget(trx, 'user-1'));

    const giveBack = run(`update audit_log set client_address = 'x', salt = '0123456789abcdef' where id = 1`);

    await expect(giveBack).rejects.toMatchObject({ code: '42501' });
  });
});

describe('a refusal', () => {
  it('stands in the trail once a minute for each caller and endpoint', async () => {
    const { trail } = await openTrail();
    const refuse = (user: string, endpoint: string) => as(user, () => trail.noteRefusal(endpoint, 'admin'));

    await refuse('user-1', 'GET /api/v1/jobs');
    await refuse('user-1', 'GET /api/v1/jobs');
    await refuse('user-1', 'POST /api/v1/backups');
    await refuse('user-2', 'GET /api/v1/jobs');

    const { data } = await trail.list({ per_page: 10 }, signal);
    expect(data.map(({ actor, object, result, after }) => ({ actor, id: object.id, result, after }))).toEqual(
      [
        { actor: 'user-2', id: 'GET /api/v1/jobs', result: 'refused', after: { scope: 'admin' } },
        { actor: 'user-1', id: 'POST /api/v1/backups', result: 'refused', after: { scope: 'admin' } },
        { actor: 'user-1', id: 'GET /api/v1/jobs', result: 'refused', after: { scope: 'admin' } },
      ],
    );
  });

  it('stays a refusal when the trail cannot be written, and so does an order for a breaker', async () => {
    const { again, database, lines } = await openTrail();
    const transaction = () => Promise.reject(new Error('no database today'));
    const broken = again({ database: { ...database, transaction } });

    await broken.noteRefusal('GET /api/v1/jobs', 'admin');
    await broken.noteIfPossible([fileEntry('f1')], signal);

    expect(lines).toEqual([
      'a refusal could not be written into the audit trail',
      'an act could not be written into the audit trail',
    ]);
    await expect(broken.note([fileEntry('f1')], signal)).rejects.toThrow('no database today');
  });
});
