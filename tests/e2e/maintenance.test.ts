import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { apiWith, inDatabase, json } from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';
import { uploaded } from '../support/uploads.ts';

/* A stack of its own: nobody else may run maintenance, and its log is read. */

let app: App;

beforeAll(async () => {
  app = await startApp(inject('appFolder'));
});
afterAll(() => app.stop());

const maintain = () => fetch(`${app.baseUrl}/admin/functions/maintenance`, json({ input: '' }));
const logged = (text: string) => app.logLines.filter((line) => line.includes(text)).length;
const succeeded = () => logged('"function succeeded"');
const skipped = () => logged('maintenance was skipped: another run is under way');

it('leaves its work to the run that is under way, and does it when there is none', async () => {
  const service = BlobServiceClient.fromConnectionString(app.storageConnectionString);
  const lock = service.getContainerClient('crownsafe-locks').getBlobClient('maintenance');
  const other = lock.getBlobLeaseClient();
  const file = await uploaded(apiWith(app.adminKey, app.baseUrl));
  const isThere = () => service.getContainerClient('crownsafe-images').getBlobClient(file.blob.name).exists();
  await maintain();
  await expect.poll(succeeded, { timeout: 10_000 }).toBeGreaterThan(0);
  await inDatabase(
    (db) => db.query("update files set status = 'deleted', deleted_at = now() - interval '1 hour'"),
    app.databaseUrl,
  );

  await other.acquireLease(60);
  await maintain();
  await expect.poll(skipped, { timeout: 10_000 }).toBeGreaterThan(0);
  await expect.poll(succeeded, { timeout: 10_000 }).toBeGreaterThan(1);
  const meanwhile = await isThere();
  await other.releaseLease();
  await maintain();

  expect(meanwhile).toBe(true);
  await expect.poll(isThere, { timeout: 10_000 }).toBe(false);
  await expect.poll(async () => (await lock.getProperties()).leaseState).toBe('available');
  expect(logged('"function failed"')).toBe(0);
});
