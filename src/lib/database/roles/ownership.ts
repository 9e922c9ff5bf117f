import { sql, type Transaction } from 'kysely';
import { schemaOwner } from './role-names.ts';

/** Something in the schema `public`, as DDL names it. */
interface Owned {
  /** The word behind ALTER; tables, views and sequences are all taken for tables. */
  readonly kind: 'table' | 'routine' | 'type';
  /** Quoted, with its schema where that is needed. */
  readonly name: string;
}

/**
 * Gives what stands in the schema `public` to the owner of the schema, where it belongs to somebody else: a database
 * that was migrated before it had roles. What an extension has brought stays its own, and so does a routine that runs with
 * the rights of its owner: everybody who may call it would have ours.
 *
 * @returns the names
 */
export async function adoptObjects(trx: Transaction<unknown>): Promise<string[]> {
  // Of an extension, or made by the server for something else: the constructors of a range type, the sequence of a column.
  const isPart = (catalog: string, ...deptypes: readonly string[]) => sql`exists (
    select from pg_depend
    where classid = ${catalog}::regclass and objid = o.oid and deptype in (${sql.join(['e', 'i', ...deptypes])}))`;
  const { rows } = await sql<Owned>`
    select 'table' as kind, oid::regclass::text as name from pg_class o
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and relowner <> ${schemaOwner}::regrole and not ${isPart('pg_class')}
      and not (relkind = 'S' and ${isPart('pg_class', 'a')})
    union all
    select 'routine', oid::regprocedure::text from pg_proc o
    where pronamespace = 'public'::regnamespace and proowner <> ${schemaOwner}::regrole
      and not prosecdef and not ${isPart('pg_proc')}
    union all
    select 'type', oid::regtype::text from pg_type o
    where typnamespace = 'public'::regnamespace and typowner <> ${schemaOwner}::regrole
      and not ${isPart('pg_type')}
      and (typtype in ('e', 'd', 'r')
        or typtype = 'c' and exists (select from pg_class where oid = o.typrelid and relkind = 'c'))
    order by kind, name`.execute(trx);
  for (const { kind, name } of rows) {
    await sql`alter ${sql.raw(kind)} ${sql.raw(name)} owner to ${sql.id(schemaOwner)}`.execute(trx);
  }
  return rows.map(({ name }) => name);
}

/** What belongs to the owner of the schema, as a list for grants. */
export async function ownedRelations(trx: Transaction<unknown>) {
  const { rows } = await sql<{ name: string; isSequence: boolean }>`
    select relname as name, relkind = 'S' as "isSequence" from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and relowner = ${schemaOwner}::regrole
    order by relname`.execute(trx);
  const idsOf = (isSequence: boolean) =>
    rows.filter((row) => row.isSequence === isSequence).map(({ name }) => sql`public.${sql.id(name)}`);
  return { tables: idsOf(false), sequences: idsOf(true) };
}
