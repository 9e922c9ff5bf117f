import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { fillTables } from '../../../bench/fill-tables.ts';
import { indexedQueries } from '../../../bench/indexed-queries.ts';
import { explain } from '../../../bench/plan.ts';
import { migrateToLatest, parseDatabaseUrl } from '../../../src/lib/database/index.ts';
import { createDatabase, dropDatabase } from '../../support/databases.ts';

let url: string;
let sql: pg.Client;

beforeAll(async () => {
  url = await createDatabase(inject('databaseUrl'));
  await migrateToLatest(parseDatabaseUrl(url));
  sql = new pg.Client(url);
  await sql.connect();
  await fillTables(sql, 20_000);
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

describe('an index', () => {
  it.each(indexedQueries.map((query) => [query.asks, query] as const))('serves %s', async (_, query) => {
    const plan = await explain(sql, query);

    expect(plan.indexes).toContain(query.index);
    expect(plan.scans).not.toContain('Seq Scan');
  });

  it('is there only when a query needs it', async () => {
    const { rows } = await sql.query<{ name: string }>(
      `select indexrelid::regclass::text as name from pg_index join pg_class on pg_class.oid = indexrelid
       where relnamespace = 'public'::regnamespace and not exists (select from pg_constraint where conindid = indexrelid)`,
    );

    expect(rows.map(({ name }) => name).toSorted()).toEqual(
      indexedQueries.map(({ index }) => index).toSorted(),
    );
  });
});
