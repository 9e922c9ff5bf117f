import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { prepareDatabase } from '../../local/database.ts';
import { createKeyring, newApiKey } from '../../src/lib/security/index.ts';
import { apiWith, bodyOf, expectProblem, inDatabase } from '../support/api.ts';
import { createDatabase, dropDatabase } from '../support/databases.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { makeTemporaryFolder } from '../support/temporary-folder.ts';
import { uploaded } from '../support/uploads.ts';

/*
 * Replaces SECRET_KEY as docs/rotate-secrets.md says, on two instances that are restarted one after the other, as a platform does.
 * Whatever one makes is shown to the other after each restart.
 */

const oldKey = 'the-secret-key-to-be-replaced-0123456789ab';
const newKey = 'the-secret-key-that-replaces-it-0123456789';
const stack = new AsyncDisposableStack();
let databaseUrl: string;
let adminKey: string;
let instances: readonly Instance[];

const settingsWith = (secrets: Readonly<Record<string, string>>) => ({
  DATABASE_URL: databaseUrl,
  ...secrets,
});

beforeAll(async () => {
  const folder = makeTemporaryFolder();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  databaseUrl = await createDatabase(inject('databaseUrl'));
  stack.defer(() => dropDatabase(databaseUrl));
  adminKey = await prepareDatabase(folder, {
    PATH: process.env['PATH'] ?? '',
    ENVIRONMENT: 'test',
    AzureWebJobsStorage: inject('storageConnectionString'),
    SECRET_KEY: oldKey,
    DATABASE_URL: databaseUrl,
  });
  const first = settingsWith({ SECRET_KEY: oldKey });
  instances = [stack.use(await startInstance(first)), stack.use(await startInstance(first))];
  const [one] = instances;
  if (one) for (let files = 0; files < 3; files += 1) await uploaded(apiWith(adminKey, one.url));
});
afterAll(() => stack.disposeAsync());

const list = ({ url }: Instance, query = '') => apiWith(adminKey, url)(`/api/v1/files?per_page=1${query}`);

async function cursorOf(instance: Instance): Promise<string> {
  const { next_cursor: cursor } = await bodyOf<{ next_cursor: string }>(list(instance));
  return `&cursor=${cursor}`;
}

/** What each instance says to a cursor of each. */
async function understoodBy(): Promise<number[]> {
  const cursors = await Promise.all(instances.map(cursorOf));
  const answers = instances.flatMap((instance) => cursors.map((cursor) => list(instance, cursor)));
  return (await Promise.all(answers)).map(({ status }) => status);
}

/** Restarts one instance after the other; what they say of one another after each. */
async function roll(secrets: Readonly<Record<string, string>>): Promise<number[][]> {
  const statuses: number[][] = [];
  for (const instance of instances) {
    await instance.restart(settingsWith(secrets));
    statuses.push(await understoodBy());
  }
  return statuses;
}

const allGood = [
  [200, 200, 200, 200],
  [200, 200, 200, 200],
];

describe('a SECRET_KEY that is replaced on two instances', () => {
  it('is missed by nobody at any moment', async () => {
    const [one] = instances;
    if (!one) throw new Error('no instance');
    const oldCursor = await cursorOf(one);

    const accepted = await roll({ SECRET_KEY: oldKey, SECRET_KEY_PREVIOUS: newKey });
    const swapped = await roll({ SECRET_KEY: newKey, SECRET_KEY_PREVIOUS: oldKey });
    const during = await list(one, oldCursor);
    const newCursor = await cursorOf(one);

    expect(accepted).toEqual(allGood);
    expect(swapped).toEqual(allGood);
    expect(during.status).toBe(200);
    expect(newCursor).not.toBe(oldCursor);
  });

  it('is worth nothing once it has gone', async () => {
    const [one] = instances;
    if (!one) throw new Error('no instance');
    const [stale, fresh] = [newApiKey(createKeyring(oldKey)), newApiKey(createKeyring(newKey))];
    for (const { id, hash } of [stale, fresh])
      await inDatabase(
        (db) =>
          db.query('insert into api_keys (id, name, hash, scopes) values ($1, $1, $2, $3)', [
            id,
            hash,
            ['admin'],
          ]),
        databaseUrl,
      );
    const statusOf = async (key: string) => (await apiWith(key, one.url)('/api/v1/files')).status;
    const statuses = () => Promise.all([stale.text, fresh.text].map(statusOf));
    await one.restart(settingsWith({ SECRET_KEY: oldKey, SECRET_KEY_PREVIOUS: newKey }));
    // By the key of the old secret: used here, the other would be hashed by that one, too.
    const { next_cursor: oldCursor } = await bodyOf<{ next_cursor: string }>(
      apiWith(stale.text, one.url)('/api/v1/files?per_page=1'),
    );
    await one.restart(settingsWith({ SECRET_KEY: newKey }));

    expect(await statuses()).toEqual([401, 200]);
    await expectProblem(
      await apiWith(fresh.text, one.url)(`/api/v1/files?per_page=1&cursor=${oldCursor}`),
      422,
      'validation_failed',
    );
  });
});

describe('crownsafe keys rotate', () => {
  const rotate = (...args: string[]) => {
    const env = {
      PATH: process.env['PATH'],
      ENVIRONMENT: 'test',
      LOG_LEVEL: 'error',
      AzureWebJobsStorage: inject('storageConnectionString'),
      ...settingsWith({ SECRET_KEY: newKey, SECRET_KEY_PREVIOUS: oldKey }),
    };
    const command = [join(inject('appFolder'), 'crownsafe.js'), 'keys', 'rotate', ...args];
    return promisify(execFile)(process.execPath, command, { env }).then(
      ({ stdout }) => ({ code: 0, lines: stdout.trim().split('\n') }),
      ({ code, stdout, stderr }) => ({ code, lines: (stdout || stderr).trim().split('\n') }),
    );
  };

  it('names the API keys that need the previous secret, and says when none does', async () => {
    const { id, hash } = newApiKey(createKeyring(oldKey));
    await inDatabase(
      (db) =>
        db.query('insert into api_keys (id, name, hash, scopes) values ($1, $2, $3, $4)', [
          id,
          'left in a drawer',
          hash,
          ['files:read'],
        ]),
      databaseUrl,
    );

    const tried = await rotate('--dry-run', '--since', '2020-01-01T00:00:00Z');
    const early = await rotate('--since', '2020-01-01T00:00:00Z');
    const late = await rotate('--since', '2999-01-01T00:00:00Z');

    expect(tried.lines[0]).toMatch(/^audit_log\.client_address: [1-9]\d* of \d+ values need another key/);
    expect(early).toMatchObject({ code: 0 });
    expect(early.lines[0]).toMatch(/^audit_log\.client_address: encrypted [1-9]\d* values anew$/);
    expect(early.lines.at(-1)).toBe('nothing needs the previous SECRET_KEY');
    expect(late).toMatchObject({ code: 1 });
    expect(late.lines).toContain(`API key ${id} was not used since: left in a drawer`);
    expect(late.lines.at(-1)).toContain('the previous SECRET_KEY is still needed');
  });

  it('refuses what is no time', async () => {
    const { code, lines } = await rotate('--since', 'yesterday');

    expect(code).toBe(1);
    expect(lines.join()).toContain('a time in UTC, as 2026-11-20T18:00:00Z');
  });
});
