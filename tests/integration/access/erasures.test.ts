import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDeadline, systemClock } from '../../../src/lib/core/index.ts';
import { type Database, sql } from '../../../src/lib/database/index.ts';
import type { BlobStore } from '../../../src/lib/storage/index.ts';
import { toArray } from '../../support/to-array.ts';
import { container, makeContainers, openAccessDatabase, signal, startProcess } from './set-up.ts';

let opened: Awaited<ReturnType<typeof openAccessDatabase>>;
let database: Database;
let stores: ReturnType<typeof makeContainers>;

beforeAll(async () => {
  opened = await openAccessDatabase();
  database = opened.database;
});
afterAll(() => opened.close());
beforeEach(() => {
  stores = makeContainers();
});

const query = <Row = Record<string, unknown>>(statement: ReturnType<typeof sql<Row>>) =>
  database.transaction('test', signal, (trx) => statement.execute(trx)).then(({ rows }) => rows);
const newUser = () => `key:${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`;
const namesIn = async (store: BlobStore) =>
  (await toArray(store.list('', { signal }))).map(({ name }) => name);
const store = (where: BlobStore, name: string) =>
  where.upload(name, Buffer.from('bytes'), { contentType: 'image/png', signal });

interface FileWish {
  readonly status?: 'available' | 'quarantined' | 'deleted' | 'pending';
  readonly minutesOld?: number;
  readonly projectId?: string;
}

/** A file with bytes, where its status says. */
async function newFile(owner: string, { status = 'available', minutesOld = 60, projectId }: FileWish = {}) {
  const id = crypto.randomUUID();
  const blobName = `${id}.png`;
  const isDeleted = status === 'deleted';
  await query(sql`
    insert into files (id, name, content_type, size, sha256, status, owner_id, project_id, container, blob_name, created_at,
      deleted_at, trashed_at)
    values (${id}, 'photo.png', 'image/png', 5, repeat('0', 64), ${status}, ${owner}, ${projectId ?? null}, ${container},
      ${blobName}, now() - make_interval(mins => ${minutesOld}),
      case when ${isDeleted} then now() end, case when ${isDeleted} then now() end)`);
  await store(isDeleted ? stores.trash : stores.blobs, blobName);
  return { id, blobName };
}

/** A user with something in every place. */
async function newUserWithAll() {
  const user = newUser();
  const [projectId, photo, answerKey] = [crypto.randomUUID(), `scans/${user}.jpg`, crypto.randomUUID()];
  await query(sql`insert into projects (id, name) values (${projectId}, 'one')`);
  await query(sql`insert into project_members (project_id, user_id) values (${projectId}, ${user})`);
  await query(sql`
    insert into api_keys (id, name, hash, scopes) values (${user.slice(4)}, 'phone of Ann', '\\x00', '{files:write}')`);
  await query(sql`
    insert into api_keys (id, name, hash, scopes, created_by)
    values (${newUser().slice(4)}, 'of somebody', '\\x00', '{admin}', ${user})`);
  for (const status of ['available', 'quarantined', 'deleted'] as const) await newFile(user, { status });
  await newFile(user, { projectId });
  await newFile(user, { status: 'pending' });
  await query(sql`
    insert into idempotency_keys (caller, route, key, fingerprint, claim, claimed_until, expires_at)
    values (${user}, 'POST /x', ${answerKey}, sha256('x'), gen_random_uuid(), now(), now() + interval '1 day')`);
  await query(sql`
    insert into scan_history (owner_id, blob_container, blob_name) values (${user}, ${container}, ${photo}), (${user}, null, null)`);
  await query(sql`
    insert into content_snapshot (owner_id, blob_container, blob_name) values (${user}, ${container}, ${photo})`);
  await query(sql`insert into image_jobs (id, owner_id) values (${user}, ${user})`);
  await store(stores.blobs, photo);
  return user;
}

/** How many traces of a user there are, by place; files count also while they are a pseudonym's. */
async function tracesOf(user: string) {
  const [row] = await query<Record<string, number>>(sql`select
    (select count(*)::int from files where owner_id = ${user} or owner_id like 'erased:%') as files,
    (select count(*)::int from project_members where user_id = ${user}) as memberships,
    (select count(*)::int from idempotency_keys where caller = ${user}) as answers,
    (select count(*)::int from scan_history where owner_id = ${user}) as scans,
    (select count(*)::int from content_snapshot where owner_id = ${user}) as snapshots,
    (select count(*)::int from image_jobs where owner_id = ${user}) as image_jobs,
    (select count(*)::int from api_keys where created_by = ${user}) as made,
    (select count(*)::int from api_keys where id = ${user.slice(4)} and (revoked_at is null or name <> 'erased')) as keys,
    (select count(*)::int from erasures where user_id = ${user}) as orders`);
  return row;
}

const none = {
  files: 0,
  memberships: 0,
  answers: 0,
  scans: 0,
  snapshots: 0,
  image_jobs: 0,
  made: 0,
  keys: 0,
  orders: 0,
};

describe('an erasure', () => {
  it('leaves nothing of the user and everything of others', async () => {
    const [user, other] = [await newUserWithAll(), await newUserWithAll()];
    const before = await tracesOf(other);
    const { erasures, work, jobs, entries, forgotten } = startProcess(database, stores);

    const { id } = await erasures.request('key:admin', user, signal);
    await work();

    const job = await jobs.get(id, signal);
    expect(job).toMatchObject({ kind: 'erasure', status: 'succeeded' });
    expect(JSON.stringify(job)).not.toContain(user.slice(4));
    expect(await tracesOf(user)).toEqual(none);
    expect(await tracesOf(other)).toEqual(before);
    const left = await query<{ blob_name: string }>(
      sql`select blob_name from files where owner_id = ${other}`,
    );
    const all = [...(await namesIn(stores.blobs)), ...(await namesIn(stores.trash))];
    expect(all.toSorted()).toEqual(
      [...left.map(({ blob_name }) => blob_name), `scans/${other}.jpg`].toSorted(),
    );
    expect(entries).toMatchObject([{ action: 'user_data.erase', subjectId: user }]);
    expect(forgotten).toEqual([user]);
  });

  it('of a user that nobody knows succeeds, and so does one that was done before', async () => {
    const { erasures, work, jobs } = startProcess(database, stores);

    const { id } = await erasures.request('token-sub', 'nobody we know', signal);
    await work();
    const [{ subject }] = [await jobs.get(id, signal)];
    await erasures.run(subject, signal);

    expect(await jobs.get(id, signal)).toMatchObject({ status: 'succeeded', attempts: 1 });
  });

  it('is done once when it is asked for twice at once', async () => {
    const user = await newUserWithAll();
    const [one, two] = [startProcess(database, stores), startProcess(database, stores)];
    await one.erasures.request('key:admin', user, signal);
    await two.erasures.request('key:admin', user, signal);

    await Promise.all([one.work(), two.work()]);

    expect(await tracesOf(user)).toEqual(none);
    expect(await namesIn(stores.blobs)).toEqual([]);
    expect(await namesIn(stores.trash)).toEqual([]);
    expect(await query(sql`select from jobs where kind = 'erasure' and status <> 'succeeded'`)).toEqual([]);
  });

  it('goes on where it was killed, wherever that was', async () => {
    let step = 0;
    for (let killed = true; killed; step++) {
      const user = await newUserWithAll();
      const { erasures, jobs } = startProcess(database, stores);
      const { id } = await erasures.request('key:admin', user, signal);
      const { subject } = await jobs.get(id, signal);
      killed = await startDyingProcess(step)
        .then((dying) => dying.erasures.run(subject, signal).then(() => false))
        .catch(() => true);

      await erasures.run(subject, signal);

      expect(await tracesOf(user), `killed at step ${step}`).toEqual(none);
      expect(await namesIn(stores.blobs), `killed at step ${step}`).toEqual([]);
      expect(await namesIn(stores.trash), `killed at step ${step}`).toEqual([]);
    }
    expect(step).toBeGreaterThan(20);
  });

  it('ends in order before its time is over, and the next attempt goes on', async () => {
    const user = newUser();
    await newFile(user);
    const { erasures, jobs } = startProcess(database, stores);
    const { subject } = await jobs.get((await erasures.request('a', user, signal)).id, signal);
    using short = startDeadline(systemClock, 30_000);

    await expect(erasures.run(subject, short.signal)).rejects.toMatchObject({ code: 'unavailable' });
    await erasures.run(subject, signal);

    expect(await tracesOf(user)).toEqual(none);
  });

  it('goes through more files than are taken at once', async () => {
    const user = newUser();
    for (let n = 0; n < 230; n++) await newFile(user);
    const { erasures, work } = startProcess(database, stores);

    await erasures.request('a', user, signal);
    await work();

    expect(await tracesOf(user)).toEqual(none);
    expect(await namesIn(stores.blobs)).toEqual([]);
  });

  it('keeps a photo that a row of somebody else names as well', async () => {
    const [user, other] = [newUser(), newUser()];
    const [shared, own] = ['scans/shared.jpg', 'scans/own.jpg'];
    for (const name of [shared, own]) await store(stores.blobs, name);
    await query(sql`
      insert into scan_history (owner_id, blob_container, blob_name)
      values (${user}, ${container}, ${shared}), (${user}, ${container}, ${own}), (${user}, 'elsewhere', 'x.jpg')`);
    await query(sql`
      insert into image_jobs (id, owner_id, blob_container, blob_name) values (${other}, ${other}, ${container}, ${shared})`);
    await store(stores.blobs, 'x.jpg');
    const { erasures, work } = startProcess(database, stores);

    await erasures.request('a', user, signal);
    await work();

    expect(await namesIn(stores.blobs)).toEqual([shared, 'x.jpg']);
    expect(await tracesOf(user)).toEqual(none);
  });

  it('is not asked for by the key whose data it is', async () => {
    const { erasures } = startProcess(database, stores);

    await expect(erasures.request('key:me', 'key:me', signal)).rejects.toMatchObject({ code: 'own_api_key' });
  });
});

describe('an erasure and an upload', () => {
  const begin = async (user: string) => {
    const { erasures, jobs } = startProcess(database, stores);
    const { subject } = await jobs.get((await erasures.request('a', user, signal)).id, signal);
    return { run: () => erasures.run(subject, signal) };
  };

  it('that is under way: waits for its end', async () => {
    const user = newUser();
    const { id } = await newFile(user, { status: 'pending', minutesOld: 1 });
    await newFile(user);
    const { run } = await begin(user);

    await expect(run()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await tracesOf(user)).toMatchObject({ files: 1, orders: 1 });
    await query(sql`update files set status = 'available' where id = ${id}`);
    await run();

    expect(await tracesOf(user)).toEqual(none);
    expect(await namesIn(stores.blobs)).toEqual([]);
  });

  it('that ends at any moment of it: leaves nothing of it', async () => {
    let step = 0;
    for (let ended = true; ended; step++) {
      const user = newUser();
      const { id, blobName } = await newFile(user, { status: 'pending', minutesOld: 1 });
      const { erasures, jobs } = startProcess(database, stores);
      const { subject } = await jobs.get((await erasures.request('a', user, signal)).id, signal);
      let calls = 0;
      ended = false;
      const endUpload = async () => {
        if (calls++ !== step) return;
        ended = true;
        await query(sql`update files set status = 'available' where id = ${id}`);
      };
      const watched: Database = {
        ...database,
        read: (...rest) => endUpload().then(() => database.read(...rest)),
        transaction: (...rest) => endUpload().then(() => database.transaction(...rest)),
      };

      const isDone = await startProcess(watched, stores)
        .erasures.run(subject, signal)
        .then(
          () => true,
          () => false,
        );

      expect(isDone, `ended at step ${step}`).toBe(ended);
      if (ended) expect(await tracesOf(user), `ended at step ${step}`).toEqual(none);
      if (ended) expect(await namesIn(stores.blobs)).not.toContain(blobName);
      await query(sql`delete from files where id = ${id}`);
    }
    expect(step).toBeGreaterThan(8);
  });

  it('that broke off: tidies it away', async () => {
    const user = newUser();
    await newFile(user, { status: 'pending', minutesOld: 6 });
    const { run } = await begin(user);

    await run();

    expect(await tracesOf(user)).toEqual(none);
    expect(await namesIn(stores.blobs)).toEqual([]);
  });

  it('that began after it was asked for: leaves it alone', async () => {
    const user = newUser();
    const { run } = await begin(user);
    const { blobName } = await newFile(user, { status: 'pending', minutesOld: -1 });

    await run();

    expect(await tracesOf(user)).toMatchObject({ files: 1, orders: 0 });
    expect(await namesIn(stores.blobs)).toEqual([blobName]);
    await query(sql`delete from files where owner_id = ${user}`);
  });
});

describe('an erasure and a deletion of the same file', () => {
  it.each(['before', 'after'] as const)('leave no copy, when it is copied %s the erasure', async (when) => {
    const user = newUser();
    const { id, blobName } = await newFile(user);
    const eraser = startProcess(database, stores);
    await eraser.erasures.request('a', user, signal);
    const trash: BlobStore = {
      ...stores.trash,
      async copyFrom(source, name, options) {
        // The service has read the source; the copy comes about when the whole erasure is over.
        if (when === 'after') await stores.trash.copyFrom(source, name, options);
        const properties = await stores.blobs.head(name, options);
        if (!properties) throw new Error('the file is not there to begin with');
        await eraser.work();
        if (when === 'before') await store(stores.trash, name);
        return properties;
      },
    };
    const caller = { id: user, scopes: new Set(['files:write'] as const), projectIds: [] };

    await startProcess(database, { blobs: stores.blobs, trash }).files.remove(caller, id, signal);

    expect(await namesIn(stores.blobs)).toEqual([]);
    expect(await namesIn(stores.trash)).not.toContain(blobName);
    expect(await tracesOf(user)).toEqual(none);
  });
});

/** A process that dies at its n-th call of database or storage, half of the time with the call carried out. */
async function startDyingProcess(step: number) {
  let calls = 0;
  const orDie = async <T>(call: () => Promise<T>): Promise<T> => {
    const isLast = calls++ === step >> 1;
    if (isLast && step % 2 === 0) throw new Error('killed before');
    const result = await call();
    if (isLast) throw new Error('killed after');
    if (calls > (step >> 1) + 1) throw new Error('dead');
    return result;
  };
  const dying = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    delete: (name, options) => orDie(() => blobs.delete(name, options)),
  });
  return startProcess(
    {
      ...database,
      read: (...rest) => orDie(() => database.read(...rest)),
      transaction: (...rest) => orDie(() => database.transaction(...rest)),
    },
    { blobs: dying(stores.blobs), trash: dying(stores.trash) },
  );
}
