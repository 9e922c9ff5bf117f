import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Patience } from '../../scripts/deploy/poll.ts';
import { smokeTest } from '../../scripts/deploy/smoke-test.ts';
import { takeBackup } from '../../scripts/deploy/take-backup.ts';
import { systemClock } from '../../src/lib/core/index.ts';
import { apiWith, bodyOf } from '../support/api.ts';
import { type App, startApp } from '../support/app.ts';

/* What a deployment asks of the app, asked of the app itself. A stack of its own: one backup is under way at a time. */

let app: App;
beforeAll(async () => {
  app = await startApp(inject('appFolder'));
});
afterAll(() => app.stop());

const { version } = JSON.parse(readFileSync(join(inject('appFolder'), 'package.json'), 'utf8'));
const { signal } = new AbortController();
const patience: Patience = { clock: systemClock, everyMs: 50, forMs: 30_000, signal, say: () => {} };

describe('the smoke test of a deployment', () => {
  it('passes on the app, and fails on another version of it', async () => {
    const apiUri = app.baseUrl;

    await smokeTest({ apiUri, version }, patience);
    const other = smokeTest({ apiUri, version: '0.0.0' }, { ...patience, forMs: 200 });

    await expect(other).rejects.toThrow(`version 0.0.0 at ${apiUri}/healthz (200, version ${version})`);
  });

  it('fails while the database is gone, and passes when it is back', async () => {
    const said: string[] = [];
    await app.services.postgres.stop();
    const test = smokeTest({ apiUri: app.baseUrl, version }, { ...patience, say: (line) => said.push(line) });
    await expect.poll(() => said.length, { timeout: 20_000 }).toBeGreaterThan(0);

    await app.services.postgres.start();
    await test;

    expect(said[0]).toMatch(/\(503, .*(database|postgres\w*) failed/);
  });
});

describe('the backup before a deployment', () => {
  it('is stored when the command ends', async () => {
    const name = await takeBackup({ uri: app.baseUrl, key: app.adminKey }, patience);

    const backup = apiWith(app.adminKey, app.baseUrl)(`/api/v1/backups/${name}`);
    expect(await bodyOf(backup)).toMatchObject({ name, status: 'stored' });
  });

  it('is refused to a key that is none', async () => {
    const key = `${app.adminKey.slice(0, -1)}${app.adminKey.endsWith('A') ? 'B' : 'A'}`;

    const work = takeBackup({ uri: app.baseUrl, key }, patience);

    await expect(work).rejects.toThrow('The app does not accept BACKUP_API_KEY for backups (401');
  });
});
