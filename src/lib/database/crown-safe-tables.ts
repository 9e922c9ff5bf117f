import { type Kysely, sql } from 'kysely';

/**
 * The tables that Crown Safe has had since its time on AWS. A database that comes from there brings them along, with
 * columns of its own beside those that are used here.
 */
export const crownSafeTables = ['scan_history', 'content_snapshot', 'image_jobs'] as const;

export type CrownSafeTable = (typeof crownSafeTables)[number];

/** Comment on a table that our migrations made. Without it a table was there before, and may be in use by another version. */
export const madeHere = 'made by 0002-crown-safe-tables';

/** Those of the tables that exist but were not made here. */
export async function adoptedTables(db: Kysely<unknown>): Promise<CrownSafeTable[]> {
  const { rows } = await sql<{ name: CrownSafeTable }>`
    select name from unnest(${[...crownSafeTables]}::text[]) as name
    where obj_description(to_regclass(name), 'pg_class') is distinct from ${madeHere} and to_regclass(name) is not null
    order by name`.execute(db);
  return rows.map(({ name }) => name);
}

/** The columns of a table that exists, with the names of their types; none for one that does not. */
export async function columnTypes(db: Kysely<unknown>, table: CrownSafeTable): Promise<Map<string, string>> {
  const { rows } = await sql<{ name: string; type: string }>`
    select attname as name, case typtype when 'e' then 'enum' else typname end as type
    from pg_attribute join pg_type on pg_type.oid = atttypid
    where attrelid = to_regclass(${table}) and attnum > 0 and not attisdropped`.execute(db);
  return new Map(rows.map(({ name, type }) => [name, type]));
}
