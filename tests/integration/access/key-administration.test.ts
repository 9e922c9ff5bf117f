import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newApiKeyShape } from '../../../src/lib/access/shapes.ts';
import { systemClock } from '../../../src/lib/core/index.ts';
import { type Database, sql } from '../../../src/lib/database/index.ts';
import { openAccessDatabase, signal, startProcess } from './set-up.ts';

let opened: Awaited<ReturnType<typeof openAccessDatabase>>;
let database: Database;

beforeAll(async () => {
  opened = await openAccessDatabase();
  database = opened.database;
});
afterAll(() => opened.close());

const change = (statement: ReturnType<typeof sql>) =>
  database.transaction('test', signal, (trx) => statement.execute(trx));

/** Makes a key; `actor` is the caller that it gives. */
async function newKey(keys = startProcess(database).keys, days?: number) {
  const wish = {
    name: 'phone',
    scopes: ['admin' as const],
    ...(days !== undefined && { expires_in_days: days }),
  };
  const { body } = await keys.create('cli:ann', wish, undefined, signal);
  const key = newApiKeyShape.parse(body);
  return { ...key, actor: `key:${key.id}` };
}

describe('two API keys that revoke each other at once', () => {
  it('leave one of them, every time', async () => {
    const { keys } = startProcess(database);
    for (let round = 0; round < 20; round++) {
      const [a, b] = [await newKey(keys), await newKey(keys)];

      const outcomes = await Promise.allSettled([
        keys.revoke(a.actor, b.id, signal),
        keys.revoke(b.actor, a.id, signal),
      ]);

      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      const revoked = [await keys.get(a.id, signal), await keys.get(b.id, signal)].filter(
        (key) => key.revoked_at,
      );
      expect(refused).toMatchObject([{ code: 'unauthorized' }]);
      expect(revoked).toHaveLength(1);
    }
  });
});

describe('an API key', () => {
  it('is not revoked by itself, nor twice', async () => {
    const { keys } = startProcess(database);
    const [own, other] = [await newKey(keys), await newKey(keys)];

    await expect(keys.revoke(own.actor, own.id, signal)).rejects.toMatchObject({ code: 'own_api_key' });
    await keys.revoke(own.actor, other.id, signal);
    await expect(keys.revoke(own.actor, other.id, signal)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('leaves the list 90 days after its end, and can still be looked up', async () => {
    const { keys } = startProcess(database);
    const [expired, revoked, recent, alive] = [
      await newKey(keys),
      await newKey(keys),
      await newKey(keys, 1),
      await newKey(keys),
    ];
    const long = sql`now() - interval '91 days'`;
    await change(
      sql`update api_keys set created_at = ${long} - interval '1 day', expires_at = ${long} where id = ${expired.id}`,
    );
    await change(sql`update api_keys set revoked_at = ${long} where id = ${revoked.id}`);
    await keys.revoke('cli:ann', recent.id, signal);

    const { data, total } = await keys.list({ per_page: 200 }, signal);

    const ids = data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([recent.id, alive.id]));
    expect(ids).not.toContain(expired.id);
    expect(ids).not.toContain(revoked.id);
    expect(total).toBe(ids.length);
    expect(await keys.get(expired.id, signal)).toMatchObject({ id: expired.id });
  });

  it('leaves a trail that tells its scopes and its end, and no secret', async () => {
    const { keys, entries } = startProcess(database);
    const key = await newKey(keys, 2);

    await keys.revoke('cli:ann', key.id, signal);

    const object = { type: 'api_key', id: key.id };
    expect(entries).toMatchObject([
      {
        action: 'api_key.create',
        object,
        after: { scopes: ['admin'], expires_at: key.expires_at },
      },
      { action: 'api_key.revoke', object, before: { revoked_at: null } },
    ]);
    // It may name a person, and an erasure reaches it in the row of the key only.
    expect(JSON.stringify(entries)).not.toContain('phone');
    expect(JSON.stringify(entries)).not.toContain(key.key.slice(-43));
    const days = (Date.parse(key.expires_at ?? '') - systemClock.now()) / 86_400_000;
    expect(days).toBeGreaterThan(1.9);
    expect(days).toBeLessThanOrEqual(2);
  });

  it('is not made when its trail cannot be left', async () => {
    const { keys } = startProcess(database, undefined, () => Promise.reject(new Error('no trail')));
    const count = async () => (await keys.list({ per_page: 1 }, signal)).total;
    const before = await count();

    await expect(newKey(keys)).rejects.toThrow('no trail');

    expect(await count()).toBe(before);
  });
});

describe('a project', () => {
  it('takes a thousand members and no more, and each change leaves its trail once', async () => {
    const { projects, entries } = startProcess(database);
    const { headers } = await projects.create({ name: 'one' }, undefined, signal);
    const id = headers['location']?.split('/').at(-1) ?? '';
    await change(sql`
      insert into project_members (project_id, user_id) select ${id}::uuid, 'user ' || n from generate_series(1, 999) as n`);

    await projects.addMember(id, 'ann', signal);
    await projects.addMember(id, 'ann', signal);
    await expect(projects.addMember(id, 'bob', signal)).rejects.toMatchObject({ code: 'conflict' });
    await projects.removeMember(id, 'ann', signal);
    await projects.removeMember(id, 'ann', signal);
    await projects.addMember(id, 'bob', signal);

    const { members } = await projects.get(id, signal);
    expect(members).toHaveLength(1_000);
    expect(members.at(-1)).toMatchObject({ user_id: 'bob' });
    expect(entries.map(({ action, subjectId }) => [action, subjectId])).toEqual([
      ['project.create', undefined],
      ['project.add_member', 'ann'],
      ['project.remove_member', 'ann'],
      ['project.add_member', 'bob'],
    ]);
  });

  it('that is not there is told so', async () => {
    const { projects } = startProcess(database);
    const id = crypto.randomUUID();

    const refused = await Promise.allSettled([
      projects.get(id, signal),
      projects.addMember(id, 'ann', signal),
      projects.removeMember(id, 'ann', signal),
    ]);

    expect(refused).toMatchObject(refused.map(() => ({ reason: { code: 'not_found' } })));
  });
});
