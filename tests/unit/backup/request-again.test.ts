import { describe, expect, it } from 'vitest';
import { createBackups } from '../../../src/lib/backup/index.ts';
import { AppError } from '../../../src/lib/core/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { createLogger } from '../../../src/lib/observability/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import type { TableStore } from '../../../src/lib/storage/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';

const { signal } = new AbortController();

/** What outlives a process, and clients of it. */
function makeWorld() {
  const clock = fakeClock();
  const table = memoryTableStore();
  const enqueued: string[] = [];
  /** The name under the key of a request, as the database keeps it. */
  let reserved: string | undefined;
  const startProcess = (from: TableStore, enqueue: (name: string) => Promise<void>) =>
    createBackups({
      clock,
      table: from,
      blobs: memoryBlobStore(),
      logger: createLogger({ clock, level: 'error', write: () => {} }),
      connection: { host: '127.0.0.1', port: 1, user: 'nobody', password: 'secret', database: 'crownsafe' },
      databaseRole: undefined,
      cursors: createCursors(createKeyring('a secret of at least 32 bytes, for tests')),
      enqueue,
      noteAudit: async () => {},
      onFailure: async () => {},
    });
  return {
    clock,
    table,
    enqueued,
    startProcess,
    backups: startProcess(table, async (name) => void enqueued.push(name)),
    /** The reservation as the next attempt finds it. */
    reservation: () => ({
      reserved,
      reserve: async (name: string) => {
        reserved = name;
      },
    }),
  };
}

/** Makes a process die before or after its n-th call to the table. */
function mortalTable(
  table: TableStore,
  death: { readonly at: number; readonly when: 'before' | 'after' },
): TableStore {
  let calls = 0;
  const died = () => new Error('the process has died');
  const mortal = async <T>(call: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (calls > death.at || (calls === death.at && death.when === 'before')) throw died();
    const result = await call();
    if (calls >= death.at) throw died();
    return result;
  };
  return {
    ...table,
    insert: (...args) => mortal(() => table.insert(...args)),
    get: (...args) => mortal(() => table.get(...args)),
    replace: (...args) => mortal(() => table.replace(...args)),
    delete: (...args) => mortal(() => table.delete(...args)),
  };
}

async function listed(backups: ReturnType<typeof createBackups>) {
  const { data } = await backups.list({ per_page: 10 }, signal);
  return data;
}

describe('a request for a backup that is sent again', () => {
  it('gets one backup, wherever the first attempt died', async () => {
    const callsOfARequest = 3;

    for (let at = 1; at <= callsOfARequest; at++) {
      for (const when of ['before', 'after'] as const) {
        const { table, startProcess, backups, reservation, enqueued, clock } = makeWorld();
        const store = mortalTable(table, { at, when });
        const dying = startProcess(store, () => Promise.reject(new Error('the process has died')));
        const died = await dying.request('full', signal, reservation()).catch((error) => error.message);
        const { reserved } = reservation();
        await clock.advance(10_000);

        const backup = await backups.request('full', signal, reservation());

        expect(died, `${when} ${at}`).toBe('the process has died');
        expect(backup).toMatchObject({ status: 'queued', tables: [] });
        // Before it had a name, nothing bore one.
        if (at > 1) expect(backup.name).toBe(reserved);
        expect((await listed(backups)).map(({ name }) => name)).toEqual([backup.name]);
        expect(enqueued).toEqual([backup.name]);
        await expect(backups.request('full', signal)).rejects.toMatchObject({ code: 'backup_running' });
      }
    }
  });

  it('gets the one that the first attempt was about to call a worker for', async () => {
    const { table, startProcess, backups, reservation, enqueued } = makeWorld();
    const { promise: never } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const stuck = startProcess(table, () => {
      reach();
      return never;
    });
    void stuck.request('full', signal, reservation());
    await reached;

    const backup = await backups.request('full', signal, reservation());

    expect((await listed(backups)).map(({ name }) => name)).toEqual([backup.name]);
    expect(enqueued).toEqual([backup.name]);
  });

  it('does not lose its slot to an attempt that was taken over from and wakes up', async () => {
    const { table, startProcess, backups, reservation, enqueued } = makeWorld();
    const { promise: frozen, resolve: thaw } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    let isTakenOver = false;
    const slow: TableStore = {
      ...table,
      async insert(entity, options) {
        if (entity.partitionKey === 'backup') {
          reach();
          await frozen;
        }
        return table.insert(entity, options);
      },
    };
    const { reserved, reserve } = reservation();
    const late = startProcess(slow, async () => {}).request('full', signal, {
      reserved,
      async reserve(name) {
        if (isTakenOver) throw new AppError('idempotency_key_in_use', 'Another attempt has taken over');
        await reserve(name);
      },
    });
    await reached;
    isTakenOver = true;
    const backup = await backups.request('full', signal, reservation());

    thaw();

    await expect(late).rejects.toMatchObject({ code: 'idempotency_key_in_use' });
    expect(enqueued).toEqual([backup.name]);
    expect(await listed(backups)).toMatchObject([{ name: backup.name, status: 'queued' }]);
    await expect(backups.request('full', signal)).rejects.toMatchObject({ code: 'backup_running' });
  });

  it('calls no second worker for one that is running or over, and answers as the first time', async () => {
    const { backups, reservation, enqueued } = makeWorld();
    const first = await backups.request('full', signal, reservation());
    // There is no database, so it fails, but it has run.
    await backups.run(first.name, signal).catch(() => {});

    const again = await backups.request('full', signal, reservation());

    expect(again).toEqual(first);
    expect(enqueued).toEqual([first.name]);
    expect(await listed(backups)).toMatchObject([{ status: 'failed' }]);
  });

  it('is queued again under its name when the first attempt has given up', async () => {
    const { table, startProcess, backups, reservation, enqueued } = makeWorld();
    const without = startProcess(table, () =>
      Promise.reject(new AppError('unavailable', 'The queue is out of reach')),
    );
    await without.request('full', signal, reservation()).catch(() => {});
    const { reserved } = reservation();
    const givenUp = await listed(backups);

    const backup = await backups.request('full', signal, reservation());

    expect(givenUp).toMatchObject([{ name: reserved, status: 'failed', error: { code: 'unavailable' } }]);
    expect(backup.name).toBe(reserved);
    expect(enqueued).toEqual([reserved]);
    const { tables: _, ...entry } = backup;
    expect(await listed(backups)).toEqual([entry]);
    await expect(backups.request('full', signal)).rejects.toMatchObject({ code: 'backup_running' });
  });

  it('shares its slot with the attempt that took it, and takes it from nobody else', async () => {
    const { backups, reservation, clock } = makeWorld();
    await reservation().reserve('crownsafe_backup_full_20200101_000000.sql.gz');
    await backups.request('full', signal);
    await clock.advance(1_000);

    const refused = backups.request('full', signal, reservation());

    await expect(refused).rejects.toMatchObject({ code: 'backup_running' });
    expect(await listed(backups)).toHaveLength(1);
  });
});
