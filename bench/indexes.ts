import type pg from 'pg';
import { runCommand } from '../local/command.ts';
import { migrateToLatest, parseDatabaseUrl } from '../src/lib/database/index.ts';
import { fillTables } from './fill-tables.ts';
import { type IndexedQuery, indexedQueries } from './indexed-queries.ts';
import { explain, type Plan } from './plan.ts';
import { describeMachine, median, withConnection, withPostgres } from './scratch-postgres.ts';

/* `npm run bench:indexes`: what each index gains for the query it is there for, as a table for docs/performance.md. */

const rowsPerTable = 1_000_000;
const runs = 7;

await runCommand(() =>
  withPostgres(async (databaseUrl) => {
    await migrateToLatest(parseDatabaseUrl(databaseUrl));
    await withConnection(databaseUrl, async (sql) => {
      const machine = await describeMachine(sql);
      await fillTables(sql, rowsPerTable);
      console.log(
        `${machine}; ${rowsPerTable.toLocaleString('en')} rows per table, medians of ${runs} runs.\n`,
      );
      console.log('| query | index | size | without | with | ratio | pages without | pages with |');
      console.log('|---|---|---|---|---|---|---|---|');
      for (const query of indexedQueries) console.log(await compare(sql, query));
    });
  }),
);

/** One line of the table. Dropping an index is undone at once: nothing has to be built again. */
async function compare(sql: pg.Client, query: IndexedQuery): Promise<string> {
  const size = await sql.query<{ bytes: string }>('select pg_relation_size($1::regclass) as bytes', [
    query.index,
  ]);
  const after = await measure(sql, query);
  await sql.query('begin');
  await sql.query(`drop index ${query.index}`);
  const before = await measure(sql, query);
  await sql.query('rollback');
  const ratio = before.milliseconds / after.milliseconds;
  const cells = [
    query.asks,
    `\`${query.index}\``,
    `${(Number(size.rows[0]?.bytes) / 2 ** 20).toFixed(1)} MiB`,
    `${before.milliseconds.toFixed(2)} ms`,
    `${after.milliseconds.toFixed(2)} ms`,
    `${ratio.toFixed(0)} ×`,
    before.pages.toLocaleString('en'),
    after.pages.toLocaleString('en'),
  ];
  return `| ${cells.join(' | ')} |`;
}

async function measure(sql: pg.Client, query: IndexedQuery): Promise<Plan> {
  const plans: Plan[] = [];
  for (let run = 0; run < runs; run += 1) plans.push(await explain(sql, query));
  return {
    ...(plans[0] as Plan),
    milliseconds: median(plans.map(({ milliseconds }) => milliseconds)),
    pages: median(plans.map(({ pages }) => pages)),
  };
}
