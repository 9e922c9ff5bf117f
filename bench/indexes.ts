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
      console.log('| query | index | without | with | ratio |');
      console.log('|---|---|---|---|---|');
      for (const query of indexedQueries) console.log(await compare(sql, query));
    });
  }),
);

/** One line of the table. Dropping an index is undone at once: nothing has to be built again. */
async function compare(sql: pg.Client, query: IndexedQuery): Promise<string> {
  const size = await sql.query<{ text: string }>(
    'select pg_size_pretty(pg_relation_size($1::regclass)) as text',
    [query.index],
  );
  const after = await measure(sql, query);
  await sql.query('begin');
  await sql.query(`drop index ${query.index}`);
  const before = await measure(sql, query);
  await sql.query('rollback');
  const ratio = before.milliseconds / after.milliseconds;
  const cells = [
    query.asks,
    `\`${query.index}\`, ${size.rows[0]?.text}`,
    describe(before),
    describe(after),
    `${Number(ratio.toPrecision(2)).toLocaleString('en')} ×`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function describe({ scans, pages, milliseconds }: Plan): string {
  return `${[...new Set(scans)].join(', ')}; ${pages.toLocaleString('en')} pages; ${Number(milliseconds.toPrecision(3))} ms`;
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
