import { describe, expect, it } from 'vitest';
import { createCatalog } from '../../../src/lib/backup/catalog.ts';
import { createBackups } from '../../../src/lib/backup/index.ts';
import { AppError } from '../../../src/lib/core/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { createLogger } from '../../../src/lib/observability/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import type { BlobStore } from '../../../src/lib/storage/index.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import { memoryBlobStore } from '../../support/memory/memory-blob-store.ts';
import { memoryTableStore } from '../../support/memory/memory-table-store.ts';
import { storeWhole } from './entries.ts';

const { signal } = new AbortController();
const away = new AppError('unavailable', 'The storage is away');

/** What outlives a process: table, blobs, and what operators were told. There is no database, so that no dump succeeds. */
function makeWorld() {
  const table = memoryTableStore();
  const blobs = memoryBlobStore();
  const catalog = createCatalog(table);
  const alerted: string[] = [];
  const statusesWhenTold: unknown[] = [];
  const startProcess = (
    own: {
      readonly blobs?: Partial<BlobStore>;
      readonly enqueue?: (name: string) => Promise<void>;
      readonly clock?: FakeClock;
    } = {},
  ) => {
    const { clock = fakeClock(), enqueue = async () => {} } = own;
    return createBackups({
      clock,
      table,
      blobs: { ...blobs, ...own.blobs },
      logger: createLogger({ clock, level: 'error', write: () => {} }),
      connection: { host: '127.0.0.1', port: 1, user: 'nobody', password: 'secret', database: 'crownsafe' },
      databaseRole: undefined,
      cursors: createCursors(createKeyring('a secret of at least 32 bytes, for tests')),
      enqueue,
      noteAudit: async () => {},
      async onFailure(name) {
        alerted.push(name);
        statusesWhenTold.push((await catalog.find(name, signal))?.status);
      },
    });
  };
  return { blobs, alerted, statusesWhenTold, startProcess };
}

/** An upload that is under way until it is told to end, and then fails. */
function longUpload(error: Error) {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: ending, resolve: end } = Promise.withResolvers<void>();
  const upload = async () => {
    begin();
    await ending;
    throw error;
  };
  return { begun, end, blobs: { upload } };
}

/** A run whose process stops in the middle. */
async function cutOff(startProcess: ReturnType<typeof makeWorld>['startProcess'], name: string) {
  const stopping = new AbortController();
  const upload = async () => {
    stopping.abort(away);
    throw away;
  };
  await expect(startProcess({ blobs: { upload } }).run(name, stopping.signal)).rejects.toBe(away);
}

/** A later process, for which a run that has just begun has been silent for too long. */
const later = (ms = 5 * 60_000 + 1) => fakeClock({ startAt: fakeClock().now() + ms });

describe('a backup that fails', () => {
  it('is told to operators at its first failure, and by none of the later attempts', async () => {
    const { alerted, startProcess } = makeWorld();
    const backups = startProcess({ blobs: { upload: () => Promise.reject(away) } });
    const { name } = await backups.request('full', signal);
    const told: number[] = [];

    for (let attempts = 0; attempts < 10; attempts++) {
      await expect(backups.run(name, signal)).rejects.toBe(away);
      told.push(alerted.length);
    }

    expect(told).toEqual(Array(10).fill(1));
    expect(alerted).toEqual([name]);
  });

  it('is told once when its last attempt ends without a word', async () => {
    const { alerted, startProcess } = makeWorld();
    const backups = startProcess();
    const { name } = await backups.request('full', signal);
    await backups.run(name, signal).catch(() => {});
    await cutOff(startProcess, name);

    await startProcess({ clock: later(3_600_001) }).settleDead(signal);

    expect(await backups.get(name, signal)).toMatchObject({ status: 'failed', error: { code: 'abandoned' } });
    expect(alerted).toEqual([name]);
  });

  it('is told before that is written down, where a process could die in between and nobody would tell', async () => {
    const { statusesWhenTold, startProcess } = makeWorld();
    const backups = startProcess();
    const { name } = await backups.request('full', signal);
    await backups.run(name, signal).catch(() => {});
    await backups.request('full', signal);

    await startProcess({ clock: later(3_600_001) }).settleDead(signal);

    expect(statusesWhenTold).toEqual(['running', 'queued']);
  });

  it('is told although the request for it was withdrawn, of which nobody was told', async () => {
    const { alerted, startProcess } = makeWorld();
    const backups = startProcess({ enqueue: () => Promise.reject(away) });
    await expect(backups.request('full', signal)).rejects.toBe(away);
    const [withdrawn] = (await backups.list({ per_page: 10 }, signal)).data;
    const name = withdrawn?.name ?? '';
    await cutOff(startProcess, name);
    const toldBefore = [...alerted];

    await expect(backups.run(name, signal)).rejects.toMatchObject({ code: 'connect_failed' });

    expect(toldBefore).toEqual([]);
    expect(alerted).toEqual([name]);
  });

  it('shows why for as long as it is tried again, and not when it is stored', async () => {
    const { blobs, startProcess } = makeWorld();
    const backups = startProcess();
    const { name } = await backups.request('full', signal);
    await backups.run(name, signal).catch(() => {});
    await cutOff(startProcess, name);
    const meanwhile = await backups.get(name, signal);
    await storeWhole(blobs, name);

    await backups.run(name, signal);

    expect(meanwhile).toMatchObject({ status: 'running', error: { code: 'connect_failed' } });
    const { error, ...stored } = await backups.get(name, signal);
    expect(stored).toMatchObject({ status: 'stored' });
    expect(error).toBeUndefined();
  });
});

describe('a run whose slot has gone to another run of the same backup', () => {
  it('leaves catalog, slot and operators alone when it fails', async () => {
    const { alerted, startProcess } = makeWorld();
    const [first, second] = [longUpload(away), longUpload(away)];
    const old = startProcess(first);
    const { name } = await old.request('full', signal);
    const oldRun = old.run(name, signal);
    await first.begun;
    const young = startProcess({ ...second, clock: later() });
    const youngRun = young.run(name, signal);
    await second.begun;

    first.end();

    await expect(oldRun).rejects.toMatchObject({ code: 'conflict' });
    expect(await old.get(name, signal)).toMatchObject({ status: 'running', finished_at: null });
    expect(alerted).toEqual([]);
    await expect(young.request('full', signal)).rejects.toMatchObject({ code: 'backup_running' });
    second.end();
    await expect(youngRun).rejects.toBe(away);
    expect(await young.get(name, signal)).toMatchObject({ status: 'failed', error: { code: 'unavailable' } });
    expect(alerted).toEqual([name]);
    await young.request('full', signal);
  });

  it('leaves them alone when it succeeds, too', async () => {
    const { blobs, startProcess } = makeWorld();
    const second = longUpload(away);
    const { name } = await startProcess().request('full', signal);
    // The first one got as far as the last byte, so that the next one only has to look.
    await cutOff(startProcess, name);
    await storeWhole(blobs, name);
    const { promise: looking, resolve: look } = Promise.withResolvers<void>();
    const { promise: seen, resolve: see } = Promise.withResolvers<void>();
    const old = startProcess({
      blobs: {
        async head(...args) {
          look();
          await seen;
          return await blobs.head(...args);
        },
      },
    });
    const oldRun = old.run(name, signal);
    await looking;
    await blobs.delete(name, { signal });
    const young = startProcess({ ...second, clock: later() });
    const youngRun = young.run(name, signal).catch(() => {});
    await second.begun;
    await storeWhole(blobs, name);

    see();

    await expect(oldRun).rejects.toMatchObject({ code: 'conflict' });
    expect(await old.get(name, signal)).toMatchObject({ status: 'running', sha256: null });
    second.end();
    await youngRun;
  });
});

describe('a request that does not hear that a worker was called', () => {
  it('leaves the backup to the worker that has begun it', async () => {
    const { startProcess } = makeWorld();
    const work = longUpload(new AppError('upstream', 'The storage refused it'));
    const worker = startProcess(work);
    let running: Promise<void> | undefined;
    const backups = startProcess({
      async enqueue(name) {
        running = worker.run(name, signal);
        await work.begun;
        throw away;
      },
    });
    const list = async () => (await backups.list({ per_page: 10 }, signal)).data;

    await expect(backups.request('full', signal)).rejects.toBe(away);

    expect(await list()).toMatchObject([{ status: 'running', finished_at: null }]);
    await expect(backups.request('full', signal)).rejects.toMatchObject({ code: 'backup_running' });
    work.end();
    await expect(running).rejects.toMatchObject({ code: 'upstream' });
    expect(await list()).toMatchObject([{ status: 'failed', error: { code: 'upstream' } }]);
  });
});
