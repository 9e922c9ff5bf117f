import { describe, expect, it } from 'vitest';
import { createCatalog } from '../../../src/lib/backup/catalog.ts';
import { createBackups } from '../../../src/lib/backup/index.ts';
import { manifestName } from '../../../src/lib/backup/manifest.ts';
import { backupName } from '../../../src/lib/backup/names.ts';
import { AppError } from '../../../src/lib/core/index.ts';
import type { AuditEntry } from '../../../src/lib/database/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { createLogger } from '../../../src/lib/observability/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';
import { queuedEntry, storeWhole } from './entries.ts';

const { signal } = new AbortController();
const hour = 3_600_000;

/** Backups in memory, of a database that is not there. */
function makeBackups() {
  const clock = fakeClock();
  const table = memoryTableStore();
  const blobs = memoryBlobStore();
  const enqueued: string[] = [];
  const alerted: string[] = [];
  const trail: { readonly entries: AuditEntry[]; failure?: Error } = { entries: [] };
  const worker = { enqueue: async (name: string) => void enqueued.push(name) };
  const backups = createBackups({
    clock,
    table,
    blobs,
    logger: createLogger({ clock, level: 'error', write: () => {} }),
    connection: { host: '127.0.0.1', port: 1, user: 'nobody', password: 'secret', database: 'crownsafe' },
    databaseRole: undefined,
    cursors: createCursors(createKeyring('a secret of at least 32 bytes, for tests')),
    enqueue: (name) => worker.enqueue(name),
    noteAudit: async (entries) => {
      if (trail.failure) throw trail.failure;
      trail.entries.push(...entries);
    },
    onFailure: async (name) => void alerted.push(name),
  });
  return { clock, blobs, backups, worker, enqueued, alerted, trail, catalog: createCatalog(table) };
}

describe('asking for a backup', () => {
  it('reserves its name at once and calls a worker', async () => {
    const { backups, clock, enqueued } = makeBackups();

    const backup = await backups.request('full', signal);

    expect(backup).toEqual({ ...queuedEntry(clock.now()), tables: [] });
    expect(await backups.get(backup.name, signal)).toEqual(backup);
    expect(enqueued).toEqual([backup.name]);
  });

  it('is withdrawn when no worker can be called', async () => {
    const { backups, worker } = makeBackups();
    const { enqueue } = worker;
    worker.enqueue = () => Promise.reject(new AppError('unavailable', 'The queue is out of reach'));

    await expect(backups.request('full', signal)).rejects.toMatchObject({ code: 'unavailable' });
    worker.enqueue = enqueue;

    const { data } = await backups.list({ per_page: 10 }, signal);
    expect(data).toMatchObject([{ status: 'failed', error: { code: 'unavailable' } }]);
    await expect(backups.request('full', signal)).resolves.toMatchObject({ status: 'queued' });
  });

  it('is refused while one is queued', async () => {
    const { backups } = makeBackups();
    await backups.request('full', signal);

    await expect(backups.request('full', signal)).rejects.toMatchObject({ code: 'backup_running' });
    expect(await backups.runNightly(signal)).toEqual({ skipped: true });
  });

  it('is granted to one of many that ask at once', async () => {
    const { backups } = makeBackups();

    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => backups.request('full', signal)),
    );

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await backups.list({ per_page: 10 }, signal)).data).toHaveLength(1);
  });

  it('takes the next second when the name is taken', async () => {
    const { backups, catalog, clock } = makeBackups();
    await catalog.insert({ ...queuedEntry(clock.now()), status: 'failed' }, signal);

    const backup = await backups.request('full', signal);

    expect(backup.name).toBe(backupName(clock.now() + 1000));
  });

  it('is refused for incremental ones', async () => {
    await expect(makeBackups().backups.request('incremental', signal)).rejects.toMatchObject({
      code: 'kind_not_supported',
    });
  });

  it('settles one that was abandoned as failed', async () => {
    const { backups, clock } = makeBackups();
    const abandoned = await backups.request('full', signal);
    await clock.advance(hour + 1);

    await backups.request('full', signal);

    expect(await backups.get(abandoned.name, signal)).toMatchObject({
      status: 'failed',
      error: { code: 'abandoned' },
    });
    await expect(backups.run(abandoned.name, signal)).rejects.toMatchObject({ code: 'backup_running' });
    expect(await backups.get(abandoned.name, signal)).toMatchObject({ status: 'failed' });
  });

  it('settles a dead one without being asked for another, and tells operators once', async () => {
    const { backups, clock, alerted } = makeBackups();
    const { name } = await backups.request('full', signal);

    await backups.settleDead(signal);
    expect(await backups.get(name, signal)).toMatchObject({ status: 'queued' });
    await clock.advance(hour + 1);
    await backups.settleDead(signal);
    await backups.settleDead(signal);

    expect(alerted).toEqual([name]);
    expect(await backups.get(name, signal)).toMatchObject({ status: 'failed', error: { code: 'abandoned' } });
    await backups.request('full', signal);
  });

  it('settles one that was abandoned behind its last byte as stored', async () => {
    const { backups, blobs, clock, alerted } = makeBackups();
    const { name } = await backups.request('full', signal);
    const { tables, sha256 } = await storeWhole(blobs, name);
    await clock.advance(hour + 1);

    await backups.request('full', signal);

    expect(await backups.get(name, signal)).toMatchObject({ status: 'stored', sha256, tables });
    expect(await backups.downloadUrl(name, signal)).toContain(name);
    expect(alerted).toEqual([]);
  });

  it('gives out no link to it that is not recorded', async () => {
    const { backups, blobs, clock, trail } = makeBackups();
    const { name } = await backups.request('full', signal);
    await storeWhole(blobs, name);
    await clock.advance(hour + 1);
    await backups.request('full', signal);

    await backups.downloadUrl(name, signal);
    trail.failure = new Error('no trail today');

    expect(trail.entries).toEqual([
      {
        action: 'backup.download',
        object: { type: 'backup', id: name },
        after: { expires_at: '2026-01-01T01:15:00.001Z' },
      },
    ]);
    await expect(backups.downloadUrl(name, signal)).rejects.toThrow('no trail today');
  });

  it('settles one as failed whose dump differs from its manifest', async () => {
    const { backups, blobs, clock } = makeBackups();
    const { name } = await backups.request('full', signal);
    await storeWhole(blobs, name);
    await blobs.upload(name, Buffer.from('another dump'), { contentType: 'application/gzip', signal });
    await clock.advance(hour + 1);

    await backups.request('full', signal);

    expect(await backups.get(name, signal)).toMatchObject({ status: 'failed' });
  });
});

describe('carrying out a backup', () => {
  it('fails in the catalog when the database is out of reach, frees the slot, and tells operators', async () => {
    const { backups, alerted } = makeBackups();
    const { name } = await backups.request('full', signal);

    await expect(backups.run(name, signal)).rejects.toMatchObject({ code: 'connect_failed' });

    const { status, error } = await backups.get(name, signal);
    expect(status).toBe('failed');
    expect(error?.code).toBe('connect_failed');
    expect(error?.message).not.toContain('secret');
    expect(alerted).toEqual([name]);
    await expect(backups.request('full', signal)).resolves.toMatchObject({ status: 'queued' });
  });

  it('is done again for one that has failed, when it is asked for', async () => {
    const { backups, catalog } = makeBackups();
    const { name } = await backups.request('full', signal);
    await expect(backups.run(name, signal)).rejects.toMatchObject({ code: 'connect_failed' });
    await catalog.update(name, { error: { code: 'earlier', message: 'Another reason' } }, signal);

    await expect(backups.run(name, signal)).rejects.toMatchObject({ code: 'connect_failed' });

    expect(await backups.get(name, signal)).toMatchObject({
      status: 'failed',
      error: { code: 'connect_failed' },
    });
    await expect(backups.request('full', signal)).resolves.toMatchObject({ status: 'queued' });
  });

  it('is refused for a name that nobody reserved', async () => {
    const { backups, clock } = makeBackups();

    await expect(backups.run(backupName(clock.now()), signal)).rejects.toMatchObject({ code: 'not_found' });
    await expect(backups.run('nonsense', signal)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the list of backups', () => {
  async function makeFive() {
    const { backups, catalog, clock } = makeBackups();
    const entries = [0, 1, 2, 3, 4].map((age) => queuedEntry(clock.now() - age * hour));
    for (const entry of entries) await catalog.insert(entry, signal);
    return { backups, names: entries.map(({ name }) => name) };
  }

  it('is paged by number, with its total', async () => {
    const { backups, names } = await makeFive();

    const page = await backups.list({ page: 2, per_page: 2 }, signal);
    const beyond = await backups.list({ page: 9, per_page: 2 }, signal);

    expect(page.data.map(({ name }) => name)).toEqual(names.slice(2, 4));
    expect(page).toMatchObject({ total: 5, page: 2, per_page: 2 });
    expect(beyond).toMatchObject({ data: [], total: 5, page: 9, next_cursor: null });
  });

  it('is paged by cursor to its end', async () => {
    const { backups, names } = await makeFive();
    const seen: string[] = [];

    let cursor: string | null | undefined;
    do {
      const page = await backups.list({ per_page: 2, ...(cursor && { cursor }) }, signal);
      seen.push(...page.data.map(({ name }) => name));
      cursor = page.next_cursor;
    } while (cursor !== null);

    expect(seen).toEqual(names);
  });

  it('refuses a cursor that is not its own', async () => {
    const { backups } = await makeFive();

    await expect(backups.list({ per_page: 2, cursor: 'bm90aGluZw' }, signal)).rejects.toMatchObject({
      code: 'validation_failed',
    });
  });
});

describe('a single backup', () => {
  it.each(['nonsense', 'crownsafe_backup_full_20260101_000000.sql.gz'])(
    'is not found as %s',
    async (name) => {
      const { backups } = makeBackups();

      await expect(backups.get(name, signal)).rejects.toMatchObject({ code: 'not_found' });
      await expect(backups.downloadUrl(name, signal)).rejects.toMatchObject({ code: 'not_found' });
    },
  );

  it.each([
    ['is gone', undefined],
    ['is damaged', '{"format_version":1'],
    ['is of another format', '{"format_version":2}'],
  ])('admits that its manifest %s', async (_, content) => {
    const { backups, blobs, catalog, clock } = makeBackups();
    const entry = { ...queuedEntry(clock.now()), status: 'stored' as const };
    await catalog.insert(entry, signal);
    const options = { contentType: 'application/json', signal };
    if (content !== undefined) await blobs.upload(manifestName(entry.name), Buffer.from(content), options);

    await expect(backups.get(entry.name, signal)).rejects.toMatchObject({ code: 'upstream' });
  });
});
