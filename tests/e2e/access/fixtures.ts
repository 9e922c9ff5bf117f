import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { vi } from 'vitest';
import { type Api, apiWith, bodyOf, json } from '../../support/api.ts';
import type { App } from '../../support/app.ts';
import { pngBytes, uploaded } from '../../support/uploads.ts';

/** What a file is made like. */
export interface FileWish {
  readonly ownerId: string;
  readonly projectId?: string | null;
  readonly status?: 'available' | 'quarantined' | 'pending' | 'deleted';
}

/** Makes the things that requests are about. */
export interface Fixtures extends AsyncDisposable {
  readonly app: App;
  readonly admin: Api;
  /** Name of a backup that is stored. */
  readonly backupName: string;
  project(...members: readonly string[]): Promise<string>;
  /** A file with real bytes. */
  file(wish: FileWish): Promise<string>;
  /** What has become of a file. */
  statusOf(fileId: string): Promise<string | undefined>;
  /** A job that may be tried again. */
  failedJob(): Promise<string>;
  /** Waits until a backup can be asked for. */
  backupsAreIdle(): Promise<unknown>;
  sql(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

/** Makes the fixtures of an app, with one backup taken. */
export async function makeFixtures(app: App): Promise<Fixtures> {
  const admin = apiWith(app.adminKey, app.baseUrl);
  const pool = new pg.Pool({ connectionString: app.databaseUrl, max: 4 });
  const sql = (text: string, values: readonly unknown[] = []) =>
    pool.query(text, [...values]).then(({ rows }) => rows);
  const backup = async () =>
    (await bodyOf<{ data: { name: string; status: string }[] }>(admin('/api/v1/backups?per_page=1'))).data[0];
  const isIdle = async () => /stored|failed/.test((await backup())?.status ?? 'stored');
  const backupsAreIdle = () => vi.waitUntil(isIdle, { timeout: 30_000, interval: 50 });

  await admin('/api/v1/backups', json({ kind: 'full' }));
  await backupsAreIdle();
  return {
    [Symbol.asyncDispose]: () => pool.end(),
    app,
    admin,
    backupName: (await backup())?.name ?? '',
    backupsAreIdle,
    sql,
    async project(...members) {
      const id = randomUUID();
      await sql('insert into projects (id, name) values ($1, $2)', [id, 'test']);
      for (const member of members)
        await sql('insert into project_members (project_id, user_id) values ($1, $2)', [id, member]);
      return id;
    },
    async file({ ownerId, projectId = null, status = 'available' }) {
      const { id } = await uploaded(admin, pngBytes(100));
      if (status === 'deleted') await admin(`/api/v1/files/${id}`, { method: 'DELETE' });
      await sql(
        `update files set owner_id = $2, project_id = $3,
           status = case when $4 = 'deleted' then status else $4 end where id = $1`,
        [id, ownerId, projectId, status],
      );
      return id;
    },
    statusOf: async (id) =>
      (await sql('select status from files where id = $1', [id]))[0]?.['status']?.toString(),
    async failedJob() {
      const id = randomUUID();
      await sql(
        `insert into jobs (id, kind, subject, status, finished_at, error_code)
         values ($1, 'backup', 'crownsafe_backup_full_20200101_000000.sql.gz', 'failed', now(), 'not_found')`,
        [id],
      );
      return id;
    },
  };
}
