import { describe, expect, it } from 'vitest';
import { createCatalog } from '../../../src/lib/backup/catalog.ts';
import type { BackupSummary } from '../../../src/lib/backup/shapes.ts';
import type { TableStore } from '../../../src/lib/storage/index.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';
import { queuedEntry } from './entries.ts';

const { signal } = new AbortController();
const second = 1000;
const start = Date.UTC(2026, 0, 1);

const finished: BackupSummary = {
  ...queuedEntry(start),
  status: 'verified',
  server_version: '18.4',
  started_at: '2026-01-01T00:00:00.000Z',
  finished_at: '2026-01-01T00:00:04.000Z',
  dump_bytes: 5 * 2 ** 40,
  stored_bytes: 2 ** 40 + 1,
  sha256: 'ab'.repeat(32),
  verification: { level: 'restore', at: '2026-01-01T01:00:00.000Z', seconds: 3.5, result: 'ok' },
  error: { code: 'pg_dump_failed', message: 'not "now"' },
};

describe('the catalog of backups', () => {
  it.each([
    ['a queued', queuedEntry(start)],
    ['a finished', finished],
  ])('gives back %s entry as it was', async (_, entry) => {
    const catalog = createCatalog(memoryTableStore());

    await catalog.insert(entry, signal);

    expect(await catalog.find(entry.name, signal)).toEqual(entry);
  });

  it('takes a name once', async () => {
    const catalog = createCatalog(memoryTableStore());

    expect(await catalog.insert(queuedEntry(start), signal)).toBe(true);
    expect(await catalog.insert(finished, signal)).toBe(false);
    expect(await catalog.find(finished.name, signal)).toMatchObject({ status: 'queued' });
  });

  it.each(['', 'nothing', queuedEntry(start).name])('knows no entry named %j', async (name) => {
    const catalog = createCatalog(memoryTableStore());

    expect(await catalog.find(name, signal)).toBeUndefined();
    expect(await catalog.update(name, { status: 'failed' }, signal)).toBeUndefined();
  });

  it('lists newest first, whatever the order of insertion, and goes on behind an entry', async () => {
    const catalog = createCatalog(memoryTableStore());
    const entries = [3, 0, 4, 1, 2].map((age) => queuedEntry(start - age * second));
    for (const entry of entries) await catalog.insert(entry, signal);
    const newestFirst = entries.map(({ name }) => name).sort((a, b) => (a < b ? 1 : -1));

    const all = await catalog.list({ limit: 10 }, signal);
    const first = await catalog.list({ limit: 2 }, signal);
    const rest = await catalog.list({ limit: 10, after: newestFirst[1] ?? '' }, signal);

    expect(all.map(({ name }) => name)).toEqual(newestFirst);
    expect(first.map(({ name }) => name)).toEqual(newestFirst.slice(0, 2));
    expect(rest.map(({ name }) => name)).toEqual(newestFirst.slice(2));
  });

  it('loses no change to another one that came in between', async () => {
    const table = memoryTableStore();
    const entry = queuedEntry(start);
    let interfere = async () => {};
    const busyTable: TableStore = {
      ...table,
      async replace(row, options) {
        await interfere();
        return await table.replace(row, options);
      },
    };
    const catalog = createCatalog(busyTable);
    await catalog.insert(entry, signal);
    interfere = async () => {
      interfere = async () => {};
      await createCatalog(table).update(entry.name, { server_version: '18.4' }, signal);
    };

    const changed = await catalog.update(entry.name, { status: 'running' }, signal);

    expect(changed).toMatchObject({ status: 'running', server_version: '18.4' });
    expect(await catalog.find(entry.name, signal)).toEqual(changed);
  });
});
