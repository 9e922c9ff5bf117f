import type pg from 'pg';

/** SHA-256 of what the given columns of all rows say (all columns by default), whatever order the rows are in. */
export async function contentHash(
  sql: pg.Client,
  table: string,
  columns?: readonly string[],
): Promise<string> {
  const shown = columns === undefined ? 'r' : `row(${columns.join(', ')})`;
  const { rows } = await sql.query<{ hash: string; n: string }>(
    `select count(*) as n, encode(sha256(convert_to(coalesce(string_agg(line, E'\\n' order by line), ''), 'UTF8')), 'hex') as hash
     from (select ${shown}::text as line from ${table} as r) as lines`,
  );
  return `${rows[0]?.n} rows ${rows[0]?.hash}`;
}
