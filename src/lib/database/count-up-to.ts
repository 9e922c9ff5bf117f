import type { SelectQueryBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Db } from './database.ts';
import type { Schema } from './schema.ts';

/** Counts rows, but no further than `limit`: a list that is longer need not know by how much. */
export async function countUpTo<Table extends keyof Schema>(
  db: Db,
  rows: SelectQueryBuilder<Schema, Table, { id: string }>,
  limit: number,
): Promise<number> {
  const { total } = await db
    .selectFrom(rows.limit(limit).as('counted'))
    .select(sql<number>`count(*)`.as('total'))
    .executeTakeFirstOrThrow();
  return total;
}
