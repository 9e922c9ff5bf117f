import { describe, expect, it } from 'vitest';
import { takeBackup } from '../../../scripts/deploy/take-backup.ts';
import { startMisbehavingServer } from '../../support/misbehaving-server.ts';
import { shortPatience, soonInVain } from './patience.ts';

const name = 'crownsafe_backup_full_20260820_020000.sql.gz';
const backup = (status: string, more: object = {}) => [
  status === 'queued' ? 202 : 200,
  { name, status, ...more },
];
const problem = (status: number, code: string) => [status, { status, code, detail: 'no' }];

/** An app that gives these answers to POST and to GET, one after another, the last ones for ever. */
async function startApi(posts: unknown[][], gets: unknown[][] = []) {
  const left = { POST: [...posts], GET: [...gets] };
  const server = await startMisbehavingServer(({ method }, response) => {
    const answers = left[method as 'POST' | 'GET'];
    const [status, body] = (answers.length > 1 ? answers.shift() : answers[0]) as [number, unknown];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  return Object.assign(server, { api: { uri: server.origin, key: 'csk_id_the-key' } });
}

describe('a backup before a deployment', () => {
  it.each(['stored', 'verified'])('is done when it is %s', async (status) => {
    await using server = await startApi(
      [backup('queued')],
      [backup('running'), backup('running'), backup(status)],
    );
    const patience = shortPatience();

    expect(await takeBackup(server.api, patience)).toBe(name);
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /api/v1/backups',
      ...Array(3).fill(`GET /api/v1/backups/${name}`),
    ]);
    expect(server.requests.every(({ headers }) => headers['x-api-key'] === server.api.key)).toBe(true);
    expect(patience.said).toEqual([`waiting for the backup ${name}, which is running`]);
  });

  it('is another one than the one under way', async () => {
    const busy = problem(409, 'backup_running');
    await using server = await startApi([busy, busy, backup('queued')], [backup('stored')]);
    const patience = shortPatience();

    expect(await takeBackup(server.api, patience)).toBe(name);
    expect(patience.said).toEqual(['waiting for the end of a backup that is under way']);
  });

  it('waits while the app starts', async () => {
    await using server = await startApi(
      [problem(503, 'unavailable'), problem(429, 'rate_limited'), backup('queued')],
      [problem(502, 'upstream'), backup('stored')],
    );

    expect(await takeBackup(server.api, shortPatience())).toBe(name);
  });

  it('fails as the backup does, in its words', async () => {
    const error = { code: 'dump_failed', message: 'the connection broke' };
    await using server = await startApi([backup('queued')], [backup('failed', { error })]);

    await expect(takeBackup(server.api, shortPatience())).rejects.toThrow(
      `The backup ${name} is failed: the connection broke`,
    );
  });

  it.each([401, 403])(
    'says which key it takes when the app answers %d, and does not show the one it has',
    async (status) => {
      await using server = await startApi([problem(status, 'no')]);

      const work = takeBackup(server.api, shortPatience());

      await expect(work).rejects.toThrow('--scopes backups:write,backups:read');
      await expect(work).rejects.not.toThrow('the-key');
    },
  );

  it('fails at once where there is no such app', async () => {
    await using server = await startApi([[404, undefined]]);

    await expect(takeBackup(server.api, shortPatience())).rejects.toThrow('The app takes no backup: 404');
    expect(server.requests).toHaveLength(1);
  });

  it('fails when it takes too long', async () => {
    await using server = await startApi([backup('queued')], [backup('running')]);

    const work = takeBackup(server.api, shortPatience(soonInVain));

    await expect(work).rejects.toThrow(`in vain for the backup ${name}, which is running`);
  });
});
