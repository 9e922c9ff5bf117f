import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { openSqlSession, parseDatabaseUrl } from '../../../src/lib/database/index.ts';
import { makeDatabase, runSql } from '../backup/sources.ts';

const { signal } = new AbortController();
/** For a machine that is busy with other tests. */
const patience = { timeout: 10_000 };

async function openTable() {
  const url = await makeDatabase();
  await runSql(url, 'create table t (a int)');
  const session = await openSqlSession(parseDatabaseUrl(url));
  const count = async () => (await runSql<{ n: number }>(url, 'select count(*)::int as n from t'))[0]?.n;
  return { url, session, count };
}

const copyStatement = 'copy t (a) from stdin';
const lines = (...texts: string[]) => Readable.from(texts.map((text) => Buffer.from(text)));

describe('a session for scripts', () => {
  it('carries out statements and copies one after the other', async () => {
    const { session, count } = await openTable();
    await using _ = session;

    await session.query('begin; insert into t values (1)', signal);
    await session.copyIn(copyStatement, lines('2\n3', '\n', '4\n'), signal);
    await session.copyIn(copyStatement, lines(), signal);
    await session.query('commit', signal);

    expect(await count()).toBe(4);
  });

  it('fails with the refusal of a statement', async () => {
    const { session } = await openTable();
    await using _ = session;

    await expect(session.query('select * from nowhere', signal)).rejects.toMatchObject({ code: '42P01' });
  });

  it.each([
    ['the statement', 'copy nowhere from stdin', '42P01'],
    ['a row', copyStatement, '22P02'],
  ])(
    'fails with the refusal of %s of a copy, even while there are no more rows',
    async (_, statement, code) => {
      const { session, count } = await openTable();
      await using _session = session;
      const endless = new Readable({ read() {} });
      endless.push('1\nnot a number\n');

      const copy = session.copyIn(statement, endless, signal);

      await expect(copy).rejects.toMatchObject({ code });
      endless.destroy();
      expect(await count()).toBe(0);
    },
  );

  it('fails with the error of the rows, and keeps none of them', async () => {
    const { session, count } = await openTable();
    await using _ = session;
    const failure = new Error('the dump broke off');
    async function* rows() {
      yield Buffer.from('1\n');
      throw failure;
    }

    await expect(session.copyIn(copyStatement, rows(), signal)).rejects.toBe(failure);

    await vi.waitFor(async () => expect(await count()).toBe(0), patience);
  });

  it('ends a copy when it is aborted', async () => {
    const { session, count } = await openTable();
    await using _ = session;
    const abort = new AbortController();
    const endless = new Readable({ read() {} });
    endless.push('1\n');
    const reason = new Error('enough');

    const copy = session.copyIn(copyStatement, endless, abort.signal);
    abort.abort(reason);

    await expect(copy).rejects.toBe(reason);
    endless.destroy();
    expect(await count()).toBe(0);
  });

  it('ends a statement when it is aborted', async () => {
    const { session } = await openTable();
    await using _ = session;
    const abort = new AbortController();
    const reason = new Error('enough');

    const query = session.query('select pg_sleep(600)', abort.signal);
    abort.abort(reason);

    await expect(query).rejects.toBe(reason);
  });

  it('fails when its connection is ended by the server', async () => {
    const { url, session } = await openTable();
    await using _ = session;
    const endless = new Readable({ read() {} });
    endless.push('1\n');

    const copy = session.copyIn(copyStatement, endless, signal);
    copy.catch(() => {});
    await vi.waitFor(async () => {
      const ended = await runSql(
        url,
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'crownsafe' and query like 'copy%'`,
      );
      expect(ended).toHaveLength(1);
    }, patience);

    await expect(copy).rejects.toThrow();
    endless.destroy();
  });
});
