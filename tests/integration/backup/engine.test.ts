import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { restoreDump } from '../../../src/lib/backup/index.ts';
import { openSqlSession, parseDatabaseUrl } from '../../../src/lib/database/index.ts';
import {
  connectionTo,
  dumpText,
  makeDatabase,
  makeRichDatabase,
  nativeDumpText,
  normalized,
  runSql,
  startDump,
} from './sources.ts';

const { NATIVE_PG_DUMP: nativePgDump, CI } = process.env;
const expectedDump = new URL('../../support/rich.expected.sql', import.meta.url);
/** Never left out where tests gate a change. */
const isPsqlMissing = spawnSync('psql', ['--version']).error !== undefined && CI !== 'true';

describe('the dump engine', () => {
  it('dumps one of nearly everything exactly as the native pg_dump 18', async () => {
    const url = await makeRichDatabase();

    const dump = await dumpText(connectionTo(url));

    const expected = nativePgDump
      ? await nativeDumpText(nativePgDump, url)
      : readFileSync(expectedDump, 'utf8');
    expect(normalized(dump)).toBe(normalized(expected));
  });

  it('asks a password function once', async () => {
    const url = await makeDatabase();
    const { password } = new URL(url);
    let asked = 0;

    await dumpText(
      connectionTo(url, {
        async password() {
          asked++;
          return password;
        },
      }),
    );

    expect(asked).toBe(1);
  });

  it('makes dumps that restore without psql to the same database', async () => {
    const [source, target] = [await makeRichDatabase(), await makeDatabase()];
    const dump = await dumpText(connectionTo(source));
    await using session = await openSqlSession(parseDatabaseUrl(target));

    const restored = await restoreDump(session, Readable.from([Buffer.from(dump)]), {
      signal: new AbortController().signal,
    });

    expect(restored.isComplete).toBe(true);
    expect(restored.tables).toContainEqual({ name: 'Weird "Schema.T a.b', rows: 2 });
    expect(await dumpText(connectionTo(target))).toBe(dump);
  });

  it('makes dumps whose rows keep their order in one transaction, whatever their size', async () => {
    const [source, target] = [await makeDatabase(), await makeDatabase()];
    await runSql(
      source,
      `create table mixed as select n, repeat(md5(n::text), 1 + (n * 7919) % 60) as text from generate_series(1, 3000) as n`,
    );
    const dump = await dumpText(connectionTo(source));
    await using session = await openSqlSession(parseDatabaseUrl(target));
    const { signal } = new AbortController();

    await session.query('begin', signal);
    await restoreDump(session, Readable.from([Buffer.from(dump)]), { signal });
    await session.query('commit', signal);

    expect(await dumpText(connectionTo(target))).toBe(dump);
  });

  it.skipIf(isPsqlMissing)(
    'makes dumps that restore with gunzip and psql (left out without psql: apt-get install postgresql-client)',
    async () => {
      const [source, target] = [await makeRichDatabase(), await makeDatabase()];
      const folder = await mkdtemp(join(tmpdir(), 'crown-safe-dump-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const file = join(folder, 'dump.sql.gz');
      await pipeline(startDump(connectionTo(source)), createGzip(), createWriteStream(file));

      const gunzip = spawn('gunzip', ['-c'], { stdio: ['pipe', 'pipe', 'inherit'] });
      const psql = spawn('psql', ['-qXv', 'ON_ERROR_STOP=1', '-o', '/dev/null', target], {
        stdio: ['pipe', 'inherit', 'pipe'],
      });
      const words: Buffer[] = [];
      psql.stderr.on('data', (chunk) => words.push(chunk));
      const [, , exitCode] = await Promise.all([
        pipeline(createReadStream(file), gunzip.stdin),
        pipeline(gunzip.stdout, psql.stdin),
        new Promise((resolve) => psql.once('close', resolve)),
      ]);

      expect(exitCode, Buffer.concat(words).toString()).toBe(0);
      expect(await dumpText(connectionTo(target))).toBe(await dumpText(connectionTo(source)));
    },
  );
});
