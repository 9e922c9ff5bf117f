import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Api, apiWith, bodyOf, expectProblem, inDatabase, json } from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';
import { uploaded } from '../support/uploads.ts';

/* A stack of its own: only one backup can be under way at a time, and other tests take backups too. */

interface Backup {
  readonly name: string;
  readonly status: string;
  readonly sha256: string | null;
  readonly stored_bytes: number | null;
  readonly dump_bytes: number | null;
  readonly tables?: readonly {
    readonly name: string;
    readonly rows: number;
    readonly content_hash: string;
  }[];
}

let app: App;
let api: Api;

beforeAll(async () => {
  app = await startApp(inject('appFolder'));
  api = apiWith(app.adminKey, app.baseUrl);
});
afterAll(() => app.stop());

/** Polls, as a client has to. */
async function finished(address: string): Promise<Backup> {
  const isOver = async () => !['queued', 'running'].includes((await bodyOf<Backup>(api(address))).status);
  await expect.poll(isOver, { timeout: 30_000 }).toBe(true);
  return bodyOf<Backup>(api(address));
}

async function takeBackup(): Promise<Backup> {
  const accepted = await api('/api/v1/backups', { method: 'POST' });
  return finished(accepted.headers.get('location') ?? '');
}

describe('taking a backup', () => {
  it('is accepted as queued, one at a time, and ends as stored', async () => {
    await uploaded(api);

    const accepted = await api('/api/v1/backups', json({ kind: 'full' }));
    const second = await api('/api/v1/backups', { method: 'POST' });
    const queued = await bodyOf<Backup>(accepted);
    const notReady = await api(`/api/v1/backups/${queued.name}/download`);
    const stored = await finished(accepted.headers.get('location') ?? '');

    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toBe(`/api/v1/backups/${queued.name}`);
    expect(queued).toMatchObject({
      name: expect.stringMatching(/^crownsafe_backup_full_\d{8}_\d{6}\.sql\.gz$/),
      kind: 'full',
      status: 'queued',
      encrypted: false,
    });
    await expectProblem(second, 409, 'backup_running');
    await expectProblem(notReady, 409, 'backup_not_ready');
    expect(stored).toMatchObject({
      status: 'stored',
      database: 'crownsafe',
      server_version: expect.stringMatching(/^18/),
    });
    expect(stored.tables?.find(({ name }) => name === 'public.files')?.rows).toBe(1);
  });

  it('gives admins a link to bytes that are what the catalogue says', async () => {
    const backup = await takeBackup();

    const redirect = await api(`/api/v1/backups/${backup.name}/download`);
    const dump = Buffer.from(await (await fetch(redirect.headers.get('location') ?? '')).arrayBuffer());

    const sql = gunzipSync(dump);
    expect(redirect.status).toBe(302);
    expect(createHash('sha256').update(dump).digest('hex')).toBe(backup.sha256);
    expect([dump.length, sql.length]).toEqual([backup.stored_bytes, backup.dump_bytes]);
    expect(sql.toString()).toContain('COPY public.files ');
    expect(sql.toString().trimEnd()).toMatch(/PostgreSQL database dump complete\n--\n*(\\unrestrict \S+)?$/);
  });

  it('leaves a manifest beside the dump', async () => {
    const backup = await takeBackup();
    const container = BlobServiceClient.fromConnectionString(app.storageConnectionString).getContainerClient(
      'crownsafe-backups',
    );

    const manifest = JSON.parse(
      (await container.getBlobClient(`${backup.name}.manifest.json`).downloadToBuffer()).toString(),
    );

    expect(manifest).toMatchObject({ name: backup.name, sha256: backup.sha256, tables: backup.tables });
  });

  it('refuses what does not exist yet, and what is no backup', async () => {
    await expectProblem(
      await api('/api/v1/backups', json({ kind: 'incremental' })),
      422,
      'kind_not_supported',
    );
    await expectProblem(await api('/api/v1/backups', json({ kind: 'half' })), 422, 'validation_failed');
    await expectProblem(await api('/api/v1/backups/nothing.sql.gz'), 404, 'not_found');
    await expectProblem(
      await api('/api/v1/backups/crownsafe_backup_full_20200101_000000.sql.gz/download'),
      404,
      'not_found',
    );
  });

  it('lists the newest first, page by page, without tables', async () => {
    const newest = await takeBackup();

    const first = await bodyOf<{ data: Backup[]; total: number; next_cursor: string }>(
      api('/api/v1/backups?per_page=1'),
    );
    const next = await bodyOf<{ data: Backup[] }>(
      api(`/api/v1/backups?per_page=1&cursor=${first.next_cursor}`),
    );

    expect(first.data.map(({ name }) => name)).toEqual([newest.name]);
    expect(first.total).toBeGreaterThan(1);
    expect(first.data[0]).not.toHaveProperty('tables');
    expect(next.data[0]?.name.localeCompare(newest.name)).toBe(-1);
  });
});

describe('a backup of a database with grants', () => {
  it('restores where their roles are unknown', async () => {
    const role = 'crownsafe_reader';
    await inDatabase(async (db) => {
      await db.query(`create role ${role}`);
      await db.query(`grant select on files to ${role}`);
    }, app.databaseUrl);

    const backup = await takeBackup();
    const redirect = await api(`/api/v1/backups/${backup.name}/download`);
    const dump = await (await fetch(redirect.headers.get('location') ?? '')).arrayBuffer();

    expect(gunzipSync(Buffer.from(dump)).toString()).not.toContain(role);
  });
});

describe('the nightly timer', () => {
  it('takes a backup when the host runs it', async () => {
    const before = await bodyOf<{ total: number }>(api('/api/v1/backups?per_page=1'));

    const accepted = await fetch(`${app.baseUrl}/admin/functions/backup-nightly`, json({ input: '' }));

    expect(accepted.status).toBe(202);
    await expect
      .poll(async () => bodyOf<{ data: Backup[]; total: number }>(api('/api/v1/backups?per_page=1')), {
        timeout: 20_000,
      })
      .toMatchObject({ total: before.total + 1, data: [{ status: 'stored' }] });
  });
});
