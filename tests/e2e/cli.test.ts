import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { apiWith, expectProblem } from '../support/api.ts';
import { testSecretKey } from '../support/app.ts';

/** Runs the packaged command with the settings of the app. */
async function crownsafe(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env['PATH'],
    ENVIRONMENT: 'test',
    LOG_LEVEL: 'error',
    SECRET_KEY: testSecretKey,
    DATABASE_URL: inject('databaseUrl'),
    AzureWebJobsStorage: inject('storageConnectionString'),
  };
  return promisify(execFile)(process.execPath, [join(inject('appFolder'), 'crownsafe.js'), ...args], {
    env,
  }).then(
    (output) => ({ code: 0, ...output }),
    (error) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  );
}

describe('crownsafe keys', () => {
  it('makes a key that works for what it was made for, lists it and revokes it', async () => {
    const made = await crownsafe(
      'keys',
      'create',
      '--name',
      'mobile app',
      '--scopes',
      'files:read',
      '--expires-in-days',
      '1',
    );
    const text = made.stdout.trim();
    const id = text.split('_')[1] ?? '';
    const api = apiWith(text);

    const allowed = await api('/api/v1/files');
    const listed = await crownsafe('keys', 'list');
    const revoked = await crownsafe('keys', 'revoke', id);
    const again = await crownsafe('keys', 'revoke', id);

    expect(text).toMatch(/^csk_[A-Za-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
    expect(allowed.status).toBe(200);
    expect(listed.stdout).toMatch(new RegExp(`^${id}  since .+  until .+  files:read  mobile app$`, 'm'));
    expect(listed.stdout).not.toContain(text.slice(-43));
    expect(revoked).toMatchObject({ code: 0, stdout: `revoked ${id}\n` });
    expect(again).toMatchObject({ code: 1, stderr: `there is no key ${id} that still works\n` });
    await expectProblem(await api('/api/v1/files'), 401, 'unauthorized');
  });

  it('says what is wrong with what was asked', async () => {
    const { code, stderr } = await crownsafe('keys', 'create', '--name', 'x', '--scopes', 'files:read,fly');

    expect(code).toBe(1);
    expect(stderr).toContain('unknown: fly');
  });
});

describe('crownsafe migrate', () => {
  it('tells which migrations have run, and finds nothing to do', async () => {
    const status = await crownsafe('migrate', 'status');
    const up = await crownsafe('migrate', 'up');

    expect(status.stdout).toMatch(/^0001-foundation {2}ran \d{4}-/m);
    expect(up).toMatchObject({ code: 0, stdout: 'nothing to do\n' });
  });
});
