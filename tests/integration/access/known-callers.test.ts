import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  createApiKeys,
  createKeyUses,
  createMemberships,
  insertApiKey,
} from '../../../src/lib/access/index.ts';
import { createLifecycle, systemClock } from '../../../src/lib/core/index.ts';
import { type Database, migrateToLatest, parseDatabaseUrl, sql } from '../../../src/lib/database/index.ts';
import { createLogger } from '../../../src/lib/observability/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { createKeyring, newApiKey } from '../../../src/lib/security/index.ts';
import { createDatabase, dropDatabase, openDatabase } from '../../support/databases.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';

let url: string;
let database: Database;
const { signal } = new AbortController();
const [ours, theirs] = [randomUUID(), randomUUID()];
const keyring = createKeyring('k'.repeat(32));

const ask = <T>(query: ReturnType<typeof sql<T>>) =>
  database.transaction('ask', signal, async (trx) => (await query.execute(trx)).rows);
const keys = () => createApiKeys({ database });
const newKey = () =>
  database.transaction('make key', signal, async (trx) => {
    const wish = { name: 'test', scopes: ['files:read', 'reports:read'] as const, createdBy: 'cli:test' };
    return (await insertApiKey(trx, newApiKey(keyring), wish)).id;
  });

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  database = openDatabase(url, createResilience({ clock: systemClock }));
  await ask(sql`insert into projects (id, name) values (${ours}, 'ours'), (${theirs}, 'theirs')`);
});
afterAll(async () => {
  await database.close();
  await dropDatabase(url);
});

describe('the projects of a user', () => {
  const projectsOf = async (user: string, ...claimed: string[]) =>
    (await createMemberships(database).findProjects(user, claimed, signal)).toSorted();

  it('are those it is a member of, and the claimed ones that exist, each once', async () => {
    const user = `auth0|${randomUUID()}`;
    await ask(sql`insert into project_members (project_id, user_id) values (${ours}, ${user})`);

    expect(await projectsOf(user)).toEqual([ours]);
    expect(await projectsOf(user, theirs, ours, randomUUID())).toEqual([ours, theirs].toSorted());
    expect(await projectsOf("' or true --", theirs)).toEqual([theirs]);
    expect(await projectsOf(user.toUpperCase())).toEqual([]);
  });
});

describe('an API key', () => {
  it('is found with its scopes and projects, in one query', async () => {
    const id = await newKey();
    await ask(
      sql`insert into project_members (project_id, user_id) values (${ours}, ${`key:${id}`}), (${theirs}, ${`key:${id}`})`,
    );

    const found = await keys().find(id, signal);

    expect(found).toMatchObject({
      scopes: ['files:read', 'reports:read'],
      expiresAt: undefined,
      revokedAt: undefined,
    });
    expect(found?.projectIds.toSorted()).toEqual([ours, theirs].toSorted());
    expect((await keys().find(await newKey(), signal))?.projectIds).toEqual([]);
    expect(await keys().find('0123456789abcdef', signal)).toBeUndefined();
  });
});

describe('the last use of an API key', () => {
  /** An instance of the app with a memory of its own, and what it has logged. */
  function openInstance(clock: FakeClock, connected = database) {
    const lines: string[] = [];
    const logger = createLogger({ clock: systemClock, level: 'warning', write: (line) => lines.push(line) });
    const lifecycle = createLifecycle({ clock: systemClock, logger });
    return {
      lines,
      note: createKeyUses({ clock, database: connected, logger, lifecycle }),
      /** The end of a process waits for what is being written. */
      written: lifecycle.stop,
    };
  }

  const rowOf = async (id: string) => {
    const [row] = await ask<{ last_used_at: Date | null; hash: Buffer; xmin: string }>(
      sql`select last_used_at, hash, xmin::text from api_keys where id = ${id}`,
    );
    return row;
  };

  it('is written in the background, and before the process ends', async () => {
    const clock = fakeClock();
    const id = await newKey();
    const instance = openInstance(clock);

    instance.note(id, undefined);
    const atOnce = await rowOf(id);
    await instance.written();

    expect([null, clock.now()]).toContain(atOnce?.last_used_at?.getTime() ?? null);
    expect((await rowOf(id))?.last_used_at?.getTime()).toBe(clock.now());
  });

  it('is written once a minute, however many requests on however many instances', async () => {
    const clock = fakeClock();
    const id = await newKey();
    const writtenAt = async () => (await rowOf(id))?.last_used_at?.getTime();
    const useEverywhere = async () => {
      const instances = [openInstance(clock), openInstance(clock), openInstance(clock)];
      for (const { note } of instances) for (let use = 0; use < 10; use += 1) note(id, undefined);
      await Promise.all(instances.map(({ written }) => written()));
    };

    await useEverywhere();
    const { xmin } = (await rowOf(id)) ?? {};
    await clock.advance(59_999);
    await useEverywhere();
    const afterwards = await rowOf(id);
    await clock.advance(1);
    await useEverywhere();

    expect(afterwards?.xmin).toBe(xmin);
    expect(await writtenAt()).toBe(clock.now());
  });

  it('brings the new hash along, and lets a revoked key be', async () => {
    const [id, revoked] = [await newKey(), await newKey()];
    await ask(sql`update api_keys set revoked_at = now() where id = ${revoked}`);
    const instance = openInstance(fakeClock());

    for (const one of [id, revoked]) instance.note(one, Buffer.alloc(32, 7));
    await instance.written();

    expect((await rowOf(id))?.hash).toEqual(Buffer.alloc(32, 7));
    expect(await rowOf(revoked)).toMatchObject({ last_used_at: null });
    expect((await rowOf(revoked))?.hash).not.toEqual(Buffer.alloc(32, 7));
  });

  it('leaves the database to requests, however many keys are used at once', async () => {
    const clock = fakeClock();
    const instance = openInstance(clock);
    const ids = Array.from({ length: 150 }, () => randomUUID());
    await ask(sql`insert into api_keys (id, name, hash, scopes)
      select id, 'test', sha256(id::bytea), '{}' from unnest(${ids}::text[]) as id`);

    for (const id of ids) instance.note(id, undefined);
    const found = await Promise.all(ids.slice(0, 100).map((id) => keys().find(id, signal)));
    await instance.written();

    expect(found).not.toContain(undefined);
    expect(instance.lines).toEqual([]);
    expect(await ask(sql`select distinct last_used_at from api_keys where id = any(${ids}::text[])`)).toEqual(
      [{ last_used_at: new Date(clock.now()) }],
    );
  });

  it('that cannot be written is one line in the log, and no harm', async () => {
    const broken = openDatabase(url, createResilience({ clock: systemClock, settings: { retries: 0 } }));
    await broken.ping(signal);
    await broken.close();
    const instance = openInstance(fakeClock(), broken);

    for (let key = 0; key < 10; key += 1) instance.note(`key ${key}`, undefined);
    await instance.written();

    expect(instance.lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warning', message: 'the use of API keys could not be noted', keys: 10 },
    ]);
  });
});
