import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { pickFreePorts } from '../../local/services/ports.ts';
import { apiWith, bodyOf, expectProblem, inDatabase } from '../support/api.ts';
import { testSecretKey } from '../support/app.ts';

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the packaged command with the settings of the app. */
const crownsafe = (...args: string[]) =>
  runWith(
    {
      ENVIRONMENT: 'test',
      LOG_LEVEL: 'error',
      SECRET_KEY: testSecretKey,
      AzureWebJobsStorage: inject('storageConnectionString'),
    },
    args,
  );

/** Runs the packaged command with what one who deploys has: the address of the database. */
const deployersCrownsafe = (...args: string[]) => runWith({}, args);

async function runWith(settings: Record<string, string>, args: readonly string[]): Promise<Output> {
  const command = join(inject('appFolder'), 'crownsafe.js');
  const env = { PATH: process.env['PATH'], DATABASE_URL: inject('databaseUrl'), ...settings };
  return promisify(execFile)(process.execPath, [command, ...args], { env }).then(
    (output) => ({ code: 0, ...output }),
    (error) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  );
}

describe('crownsafe jobs', () => {
  it('lists what is poison, shows why, and calls a worker again', async () => {
    const id = crypto.randomUUID();
    await inDatabase((db) =>
      db.query(
        `insert into jobs (id, kind, subject, status, finished_at, error_code, error_message, error_detail)
         values ($1, 'backup', e'no such\\n  backup', 'poison', now(), 'abandoned', 'Nobody came', 'pool of db.internal')`,
        [id],
      ),
    );

    const listed = await crownsafe('jobs', 'list', '--status', 'poison');
    const shown = await crownsafe('jobs', 'show', id);
    const retried = await crownsafe('jobs', 'retry', id);
    const unknown = await crownsafe('jobs', 'retry', crypto.randomUUID());
    const wrong = [await crownsafe('jobs', 'list', '--status', 'lost'), await crownsafe('jobs', 'show', 'x')];

    expect(listed.stdout).toMatch(
      new RegExp(`^${id}  \\S+Z  poison \\(abandoned\\)  backup  no such backup$`, 'm'),
    );
    expect(JSON.parse(shown.stdout)).toMatchObject({ id, error_detail: 'pool of db.internal' });
    expect([retried.code, retried.stdout]).toEqual([0, 'queued\n']);
    expect([unknown.code, unknown.stderr]).toEqual([1, 'There is no such job\n']);
    expect(wrong.map(({ code }) => code)).toEqual([1, 1]);
    await expect
      .poll(() => bodyOf(apiWith(inject('adminKey'))(`/api/v1/jobs/${id}`)), { timeout: 10_000 })
      .toMatchObject({ status: 'failed', attempts: 1, error: { code: 'not_found' } });
  });
});

describe('crownsafe keys', () => {
  it('lets in again who is held back', async () => {
    const held = `from credential_failures where subject = sha256('cli') and blocked_until > now()`;
    await inDatabase((db) =>
      db.query(`insert into credential_failures (subject, failed_at, blocked_until, expires_at)
        values (sha256('cli'), '{}', now() + interval '1 hour', now() + interval '1 hour')`),
    );

    const { code, stdout } = await crownsafe('keys', 'unblock');

    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ended [1-9]\d* blocks;/),
    });
    expect((await inDatabase((db) => db.query(`select 1 ${held}`))).rows).toEqual([]);
  });

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
    const shown = await bodyOf(apiWith(inject('adminKey'))(`/api/v1/api-keys/${id}`));
    const listed = await crownsafe('keys', 'list');
    const revoked = await crownsafe('keys', 'revoke', id);
    const again = await crownsafe('keys', 'revoke', id);

    expect(text).toMatch(/^csk_[A-Za-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
    expect(allowed.status).toBe(200);
    expect(listed.stdout).toMatch(
      new RegExp(`^${id}  since .+  until .+  (never used|used \\S+Z)  files:read  mobile app$`, 'm'),
    );
    expect(listed.stdout).not.toContain(text.slice(-43));
    expect(shown).toMatchObject({ created_by: `cli:${userInfo().username}` });
    expect(revoked).toMatchObject({ code: 0, stdout: `revoked ${id}\n` });
    expect(again).toMatchObject({
      code: 1,
      stderr: 'There is no such API key, or it has been revoked before\n',
    });
    await expectProblem(await api('/api/v1/files'), 401, 'unauthorized');
  });

  it('says what is wrong with what was asked', async () => {
    const { code, stderr } = await crownsafe('keys', 'create', '--name', 'x', '--scopes', 'files:read,fly');

    expect(code).toBe(1);
    expect(stderr).toContain('unknown: fly');
  });

  it('keeps its log out of its answer, and says why the database cannot be used', async () => {
    const [port = 0] = await pickFreePorts(1);
    const settings = {
      SECRET_KEY: testSecretKey,
      AzureWebJobsStorage: inject('storageConnectionString'),
      DATABASE_URL: `postgresql://app:hidden@127.0.0.1:${port}/crownsafe`,
    };

    const { code, stdout, stderr } = await runWith(settings, ['keys', 'list']);

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('"message":"a call is tried again"');
    expect(stderr).toMatch(/The database is not available at the moment: connect ECONNREFUSED .+\n$/);
    expect(stderr).not.toContain('hidden');
  });
});

describe('crownsafe migrate', () => {
  it('tells which migrations have run, and finds nothing to do', async () => {
    const status = await deployersCrownsafe('migrate', 'status');
    const up = await deployersCrownsafe('migrate', 'up');

    expect(status.stdout).toMatch(/^0001-foundation {2}ran \d{4}-/m);
    expect(up).toMatchObject({ code: 0, stdout: 'nothing to do\n' });
  });

  it('says what is wrong with where rows shall point, and that none ever pointed to S3', async () => {
    const repoint = (container: string) =>
      crownsafe(
        ...['migrate', 'repoint', '--bucket', 'photos', '--s3-url', 'https://photos.s3.amazonaws.com/'],
        ...['--container', container, '--blob-url', `https://account.blob.core.windows.net/${container}/`],
      );

    expect(await repoint('photos')).toMatchObject({
      code: 1,
      stderr: 'scan_history has no side of S3 any more, and would forget where its photos were\n',
    });
    expect(await repoint('my.photos')).toMatchObject({
      code: 1,
      stderr: 'my.photos cannot be the name of a container\n',
    });
  });
});

describe('crownsafe roles', () => {
  it('applies roles again, and says what is so now', async () => {
    const applied = await deployersCrownsafe('roles', 'apply', '--login', 'crownsafe');

    expect(applied).toEqual({
      code: 0,
      stdout: 'crownsafe acts as app, and may act as backup and verify\n',
      stderr: '',
    });
  });

  it.each([
    [['--login', 'nobody'], 'There is no role nobody: create it with a password'],
    [['--login', 'nobody', '--entra-object-id', 'me'], 'a GUID'],
    [[], "required option '--login <name>' not specified"],
  ])('refuses %j in words', async (args, words) => {
    const { code, stderr } = await deployersCrownsafe('roles', 'apply', ...args);

    expect(code).toBe(1);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('    at ');
  });
});
