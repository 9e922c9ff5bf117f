import { createHash, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import { to } from 'pg-copy-streams';
import { describe, expect, it, vi } from 'vitest';
import { createBackups } from '../../../src/lib/backup/index.ts';
import { AppError, systemClock } from '../../../src/lib/core/index.ts';
import { parseDatabaseUrl } from '../../../src/lib/database/index.ts';
import { createCursors } from '../../../src/lib/http/index.ts';
import { createLogger } from '../../../src/lib/observability/index.ts';
import { createKeyring } from '../../../src/lib/security/index.ts';
import type { BlobStore } from '../../../src/lib/storage/index.ts';
import { toArray } from '../../support/to-array.ts';
import { openStorage } from '../storage/open-storage.ts';
import { connectionTo, dumpBackends, fillLarge, makeDatabase, makeRichDatabase, runSql } from './sources.ts';

const { signal } = new AbortController();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Backups of one database, in a container and a table of their own. */
function openBackups(url: string, password = parseDatabaseUrl(url).password) {
  const { storage } = openStorage();
  const id = randomUUID().slice(0, 8);
  const blobs = storage.blobs(`backups-${id}`, 'backup-blob');
  const lines: string[] = [];
  const ports = {
    clock: systemClock,
    logger: createLogger({ clock: systemClock, level: 'info', write: (line) => lines.push(line) }),
    connection: connectionTo(url, { password }),
    databaseRole: undefined,
    blobs,
    table: storage.table(`backups${id}`),
    cursors: createCursors(createKeyring('a secret of at least 32 bytes, for tests')),
    enqueue: async () => {},
    noteAudit: async () => {},
    onFailure: async () => {},
  };
  return { backups: createBackups(ports), ports, blobs, lines };
}

const namesOf = async (blobs: BlobStore) =>
  (await toArray(blobs.list('', { signal }))).map(({ name }) => name);

/** Resolves when a dump of the database is under way. */
function untilCopying(url: string): Promise<void> {
  return vi.waitFor(
    async () => {
      const [backend] = await runSql<{ query: string }>(
        url,
        `select query from pg_stat_activity where application_name = 'pg_dump' and datname = current_database()`,
      );
      expect(backend?.query).toMatch(/^COPY/);
    },
    { timeout: 10_000, interval: 5 },
  );
}

describe('a full backup', () => {
  it('is stored with everything needed to trust and restore it', async () => {
    const url = await makeRichDatabase();
    const { backups, blobs } = openBackups(url);
    const { name } = await backups.request('full', signal);

    await backups.run(name, signal);

    const backup = await backups.get(name, signal);
    const { body, properties } = await blobs.download(name, { signal });
    const stored = await buffer(body);
    const dump = gunzipSync(stored);
    expect(backup).toMatchObject({
      name,
      kind: 'full',
      status: 'stored',
      database: parseDatabaseUrl(url).database,
      server_version: expect.stringMatching(/^18\./),
      dump_bytes: dump.length,
      stored_bytes: stored.length,
      sha256: sha256(stored),
      encrypted: false,
    });
    expect(backup.error).toBeUndefined();
    expect(properties.contentType).toBe('application/gzip');
    expect(dump.toString()).toMatch(/^-- PostgreSQL database dump complete$/m);
    expect(dump.toString()).not.toContain('OWNER TO');
    expect(await namesOf(blobs)).toEqual([name, `${name}.manifest.json`]);
  });

  it('tells the rows and the content of each table, as COPY gives them', async () => {
    const url = await makeRichDatabase();
    const { backups } = openBackups(url);
    const { name } = await backups.request('full', signal);
    const client = new pg.Client(url);
    await client.connect();

    await backups.run(name, signal);

    const { tables } = await backups.get(name, signal);
    await client.query('set synchronize_seqscans = off');
    const orders = await buffer(client.query(to('copy app.orders to stdout')));
    const weird = await buffer(client.query(to('copy "Weird ""Schema"."T a.b" to stdout')));
    await client.end();
    expect(tables).toContainEqual({ name: 'app.orders', rows: 50, content_hash: sha256(orders) });
    expect(tables).toContainEqual({ name: 'Weird "Schema.T a.b', rows: 2, content_hash: sha256(weird) });
  });

  it('can be downloaded by its link, without another credential', async () => {
    const { backups } = openBackups(await makeDatabase());
    const { name } = await backups.request('full', signal);
    await expect(backups.downloadUrl(name, signal)).rejects.toMatchObject({ code: 'backup_not_ready' });

    await backups.run(name, signal);
    const answer = await fetch(await backups.downloadUrl(name, signal));

    expect(answer.status).toBe(200);
    expect(sha256(await answer.bytes())).toBe((await backups.get(name, signal)).sha256);
  });

  it('is carried out once, however often it is asked for', async () => {
    const { backups, blobs } = openBackups(await makeDatabase());
    const { name } = await backups.request('full', signal);
    await backups.run(name, signal);
    const first = await blobs.head(name, { signal });

    await backups.run(name, signal);

    expect((await blobs.head(name, { signal }))?.etag).toBe(first?.etag);
  });

  it('is the nightly one, unless another one is under way', async () => {
    const { backups, lines } = openBackups(await makeDatabase());
    const { name } = await backups.request('full', signal);

    const first = await backups.runNightly(signal);
    await backups.run(name, signal);
    const second = await backups.runNightly(signal);

    const { data } = await backups.list({ per_page: 10 }, signal);
    expect([first, second]).toEqual([{ skipped: true }, { skipped: false }]);
    expect(data.map(({ status }) => status)).toEqual(['stored', 'stored']);
    expect(lines.join('\n')).toContain('the nightly backup is skipped');
  });
});

describe('a full backup that fails', () => {
  it('leaves no blob, frees the slot, and tells why without secrets', async () => {
    const url = await makeDatabase();
    const { backups, blobs, lines } = openBackups(url, 'a-wrong-password');
    const { name } = await backups.request('full', signal);

    await expect(backups.run(name, signal)).rejects.toMatchObject({ code: 'pg_dump_failed' });

    const failed = await backups.get(name, signal);
    expect(failed).toMatchObject({ status: 'failed', tables: [], sha256: null });
    expect(failed.error?.code).toBe('pg_dump_failed');
    expect(failed.error?.message).toBe('pg_dump ended with an error; the log has its words');
    expect(lines.join('')).toContain('password authentication failed');
    expect(failed.error?.message + lines.join('')).not.toContain('a-wrong-password');
    expect(await namesOf(blobs)).toEqual([]);
    await expect(backups.downloadUrl(name, signal)).rejects.toMatchObject({ code: 'backup_not_ready' });
    await expect(backups.request('full', signal)).resolves.toMatchObject({ status: 'queued' });
  });

  it.each([
    [
      'the backend is killed',
      (url: string) =>
        runSql(
          url,
          `select pg_terminate_backend(pid) from pg_stat_activity
           where application_name = 'pg_dump' and datname = current_database()`,
        ),
      'pg_dump_failed',
    ],
    [
      'it is aborted',
      async (_: string, abort: AbortController) => abort.abort(new Error('enough')),
      'internal',
    ],
  ])('leaves no blob when %s in the middle', async (_, interrupt, code) => {
    const url = await makeDatabase();
    await fillLarge(url);
    const { backups, blobs } = openBackups(url);
    const abort = new AbortController();
    const { name } = await backups.request('full', signal);

    const running = backups.run(name, abort.signal);
    running.catch(() => {});
    await untilCopying(url);
    await interrupt(url, abort);

    await expect(running).rejects.toThrow();
    expect(await backups.get(name, signal)).toMatchObject({ status: 'failed', error: { code } });
    expect(await namesOf(blobs)).toEqual([]);
    await vi.waitFor(async () => expect(await dumpBackends(url)).toEqual([]), { timeout: 10_000 });
  });

  it('is left to whoever comes next when the process stops in the middle', async () => {
    const url = await makeDatabase();
    await fillLarge(url);
    const { backups, blobs } = openBackups(url);
    const process = new AbortController();
    const { name } = await backups.request('full', signal);

    const running = backups.run(name, process.signal);
    running.catch(() => {});
    await untilCopying(url);
    process.abort(new AppError('unavailable', 'This instance is being stopped'));

    await expect(running).rejects.toBe(process.signal.reason);
    expect(await backups.get(name, signal)).toMatchObject({ status: 'running', finished_at: null });
    expect(await namesOf(blobs)).toEqual([]);
    await expect(backups.request('full', signal)).rejects.toMatchObject({ code: 'backup_running' });
    // At once: each time in vain would cost the job an attempt.
    await backups.run(name, signal);
    expect(await backups.get(name, signal)).toMatchObject({ status: 'stored' });
  });

  it('is stored when it is tried again', async () => {
    const url = await makeDatabase();
    const { backups, ports } = openBackups(url, 'a-wrong-password');
    const { name } = await backups.request('full', signal);
    await backups.run(name, signal).catch(() => {});

    await createBackups({ ...ports, connection: connectionTo(url) }).run(name, signal);

    const { error, ...stored } = await backups.get(name, signal);
    expect(stored).toMatchObject({ name, status: 'stored', finished_at: expect.any(String) });
    expect(error).toBeUndefined();
  });

  it('takes the dump away again when its manifest cannot be written', async () => {
    const { ports, blobs } = openBackups(await makeDatabase());
    const upload: BlobStore['upload'] = (name, source, options) =>
      name.endsWith('.json')
        ? Promise.reject(new Error('no manifests today'))
        : blobs.upload(name, source, options);
    const backups = createBackups({ ...ports, blobs: { ...blobs, upload } });
    const { name } = await backups.request('full', signal);

    await expect(backups.run(name, signal)).rejects.toThrow('no manifests today');

    expect(await backups.get(name, signal)).toMatchObject({ status: 'failed', error: { code: 'internal' } });
    expect(await namesOf(blobs)).toEqual([]);
  });
});
