import { createHash, randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { restoreDump } from '../../src/lib/backup/index.ts';
import { openSqlSession, parseDatabaseUrl } from '../../src/lib/database/index.ts';

/** A table of a database, in numbers that two equal tables share. */
export interface TableFigures {
  /** `schema.table`. */
  readonly name: string;
  readonly rows: number;
  /** SHA-256 of what `COPY … TO stdout` gives. */
  readonly content_hash: string;
}

/** A database that lives as long as it is looked at. */
export interface ScratchDatabase extends AsyncDisposable {
  /** Restores a dump as it comes out of storage. Returns how many rows went into tables. */
  restore(dumpGz: AsyncIterable<Uint8Array>): Promise<number>;
  /** All tables, measured anew. */
  measure(): Promise<TableFigures[]>;
}

const restoreTimeoutMs = 300_000;

/** Makes an empty database in the same server as the given one. */
export async function createScratchDatabase(databaseUrl: string): Promise<ScratchDatabase> {
  const name = `tour_${randomUUID().replaceAll('-', '')}`;
  const administer = (statement: string) => withClient(databaseUrl, (client) => client.query(statement));
  await administer(`create database ${name} template template0`);
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return {
    async restore(dumpGz) {
      const signal = AbortSignal.timeout(restoreTimeoutMs);
      await using session = await openSqlSession(parseDatabaseUrl(url.href));
      const gunzip = createGunzip();
      const feeding = pipeline(dumpGz, gunzip);
      // As one: all or nothing; and rows stay in their order, which the hash of a table's content goes by. Beyond the
      // transaction that makes a table, PostgreSQL puts rows wherever there is room for them.
      await session.query('begin', signal);
      const [restored] = await Promise.all([restoreDump(session, gunzip, { signal }), feeding]);
      if (!restored.isComplete) throw new Error('the dump has no end');
      await session.query('commit', signal);
      return restored.tables.reduce((sum, { rows }) => sum + rows, 0);
    },
    measure: () => withClient(url.href, measureTables),
    [Symbol.asyncDispose]: async () => void (await administer(`drop database ${name} with (force)`)),
  };
}

async function measureTables(client: pg.Client): Promise<TableFigures[]> {
  // Else two scans of one table may begin at different places.
  await client.query('set synchronize_seqscans = off');
  const { rows: tables } = await client.query<{ name: string; copied: string; columns: string }>(`
    select n.nspname || '.' || c.relname as name, c.oid::regclass::text as copied,
           string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
    group by 1, 2 order by 1`);
  const figures: TableFigures[] = [];
  for (const { name, copied, columns } of tables) {
    const hash = createHash('sha256');
    let rows = 0;
    for await (const chunk of client.query(
      copyTo(`copy ${copied} (${columns}) to stdout`),
    ) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      for (const byte of chunk) if (byte === 10) rows += 1;
    }
    figures.push({ name, rows, content_hash: hash.digest('hex') });
  }
  return figures;
}

async function withClient<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { tls, ...address } = parseDatabaseUrl(databaseUrl);
  const client = new pg.Client({ ...address, ssl: tls ?? false });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
