import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Client, createClient, post } from './client.ts';
import { renderPhoto } from './photo.ts';
import { createScratchDatabase, type ScratchDatabase, type TableFigures } from './scratch-database.ts';

interface TourOptions {
  readonly baseUrl: string;
  /** With the scope `admin`. */
  readonly apiKey: string;
  /** Of the app; the scratch database is made beside it. */
  readonly databaseUrl: string;
  /** Receives one line for each step. */
  readonly log: (line: string) => void;
}

interface Readiness {
  readonly checks: readonly { readonly name: string; readonly status: string }[];
}

interface Backup {
  readonly name: string;
  readonly status: string;
  readonly sha256: string;
  readonly stored_bytes: number;
  readonly tables: readonly TableFigures[];
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * Walks once through the whole service as its users would: a photo goes in, a link to it comes out, a report counts it, and
 * a backup of the database restores. Every step is compared with what it must give.
 *
 * @throws at the first step that gives anything else
 */
export async function runTour({ baseUrl, apiKey, databaseUrl, log }: TourOptions): Promise<void> {
  const client = createClient(baseUrl, apiKey);
  const step = async <T>(
    what: string,
    work: () => Promise<readonly [figure: string, result: T]>,
  ): Promise<T> => {
    const startedAt = performance.now();
    const [figure, result] = await work();
    log(`ok  ${what.padEnd(28)} ${figure}, ${Math.round(performance.now() - startedAt)} ms`);
    return result;
  };

  await step('ask whether it is healthy', async () => {
    const { checks } = await client.json<Readiness>(200, '/api/v1/health/ready');
    return [checks.map(({ name, status }) => `${name} ${status}`).join(', '), undefined];
  });
  const photo = await step('render a photo', async () => {
    const { jpeg, barcode } = await renderPhoto(new Date().toISOString());
    return [`${jpeg.length} bytes, EAN-13 ${barcode}`, jpeg];
  });
  const fileId = await step('upload it', () => upload(client, photo));
  const link = await step('ask for a link', async () => {
    const request = post({ file_id: fileId });
    const { url, expires_at } = await client.json<{ url: string; expires_at: string }>(
      201,
      '/api/v1/sas',
      request,
    );
    return [`until ${expires_at}`, url];
  });
  await step('fetch it by the link', () => fetchByLink(link, photo));
  await step('find it in the report', () => findInReport(client, fileId));
  const backup = await step('back up the database', () => takeBackup(client));
  const dump = await step('download the backup', () => downloadBackup(client, backup));
  await using scratch = await createScratchDatabase(databaseUrl);
  await step('restore it', async () => [counted(await scratch.restore(chunks(dump)), 'row'), undefined]);
  await step('compare every table', () => compareTables(scratch, backup));
  await step('delete the photo', () => deletePhoto(client, fileId, link));
}

async function upload(client: Client, photo: Buffer) {
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(photo)], { type: 'image/jpeg' }), 'night-light.jpg');
  form.set('metadata', JSON.stringify({ source: 'tour' }));
  const request = { method: 'POST', body: form };
  const file = await client.json<{ id: string; sha256: string; status: string }>(
    201,
    '/api/v1/uploads',
    request,
  );
  assert.equal(file.sha256, sha256(photo));
  assert.equal(file.status, 'available');
  return [`file ${file.id}`, file.id] as const;
}

async function fetchByLink(link: string, photo: Buffer) {
  const response = await fetch(link);
  assert.equal(response.status, 200, 'the link must work without a credential');
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.ok(bytes.equals(photo), 'the bytes must be the ones that went in');
  return [`${bytes.length} bytes, the same`, undefined] as const;
}

async function findInReport(client: Client, fileId: string) {
  const text = await (await client.call(200, '/api/v1/reports/upload-activity?format=ndjson')).text();
  const lines = text.trimEnd().split('\n');
  const { summary } = JSON.parse(lines.at(-1) ?? '');
  const rows = lines.slice(0, -1);
  assert.equal(summary.rows, rows.length);
  assert.equal(
    summary.sha256,
    sha256(rows.map((row) => `${row}\n`).join('')),
    'the summary must match the rows',
  );
  assert.ok(
    rows.some((row) => JSON.parse(row).file_id === fileId),
    'the report must count the upload',
  );
  return [`${counted(rows.length, 'row')}, hash right`, undefined] as const;
}

async function takeBackup(client: Client) {
  const accepted = await client.call(202, '/api/v1/backups', { method: 'POST' });
  const address = accepted.headers.get('location') ?? '';
  for (;;) {
    const backup = await client.json<Backup>(200, address);
    if (backup.status === 'stored') {
      return [`${backup.tables.length} tables, ${backup.stored_bytes} bytes`, backup] as const;
    }
    assert.ok(['queued', 'running'].includes(backup.status), `${backup.status}: ${backup.error?.message}`);
    await wait(200);
  }
}

async function downloadBackup(client: Client, backup: Backup) {
  const redirect = await client.call(302, `/api/v1/backups/${backup.name}/download`);
  const response = await fetch(redirect.headers.get('location') ?? '');
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 200);
  assert.equal(sha256(bytes), backup.sha256, 'the catalogue must tell the hash of the stored bytes');
  return [`${bytes.length} bytes, hash right`, bytes] as const;
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function compareTables(scratch: ScratchDatabase, backup: Backup) {
  const restored = await scratch.measure();
  const byName = (a: TableFigures, b: TableFigures) => (a.name < b.name ? -1 : 1);
  assert.deepEqual(restored.toSorted(byName), backup.tables.toSorted(byName));
  const rows = restored.reduce((sum, table) => sum + table.rows, 0);
  return [`${restored.length} tables, ${rows} rows, all equal`, undefined] as const;
}

async function deletePhoto(client: Client, fileId: string, link: string) {
  await client.call(204, `/api/v1/files/${fileId}`, { method: 'DELETE' });
  const { status } = await fetch(link);
  assert.ok([403, 404].includes(status), `the link must be dead, but answers ${status}`);
  return [`the link answers ${status}`, undefined] as const;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
