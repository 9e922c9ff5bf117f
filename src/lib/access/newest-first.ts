import { type Database, type Db, type Expression, sql } from '../database/index.ts';
import { type Cursors, maxNumberedRows, pageStart, renderPage } from '../http/index.ts';
import type { PlainListQuery } from './shapes.ts';

/** The part of a list that makes a page, and one row more. */
interface Slice {
  readonly isAfter: Expression<boolean>;
  readonly offset: number;
  readonly limit: number;
}

interface NewestFirst<Row, Item> {
  /** Names the list, in what it logs and for its cursors. */
  readonly name: string;
  /** Rows by falling `created_at` and `id`. */
  rows(db: Db, slice: Slice): Promise<Row[]>;
  /** Counts the rows, no further than the limit. */
  count(db: Db, limit: number): Promise<number>;
  toItem(row: Row): Item;
}

/**
 * Answers one page of a list, newest first.
 *
 * @throws AppError `validation_failed` for a cursor of another list, `use_cursor` for a page too far
 */
export async function listNewestFirst<Row extends { readonly id: string; readonly created_at: Date }, Item>(
  { database, cursors }: { readonly database: Database; readonly cursors: Cursors },
  query: PlainListQuery,
  list: NewestFirst<Row, Item>,
  signal: AbortSignal,
) {
  const { per_page: perPage } = query;
  const start = pageStart(query, (cursor) => cursors.decode(list.name, cursor));
  const limit = perPage + 1;
  const { rows, total } = await database.read(`list ${list.name}`, signal, async (db) => {
    if (start.kind === 'page') {
      const slice = { isAfter: sql<boolean>`true`, offset: start.offset, limit };
      return { rows: await list.rows(db, slice), total: await list.count(db, maxNumberedRows + 1) };
    }
    const [time, id] = start.key;
    const isAfter = sql<boolean>`(created_at, id) < (${time}::timestamptz, ${id})`;
    return { rows: await list.rows(db, { isAfter, offset: 0, limit }), total: undefined };
  });
  return renderPage({
    start,
    perPage,
    rows,
    total,
    toItem: list.toItem,
    cursorOf: ({ created_at, id }) => cursors.encode(list.name, [created_at.toISOString(), id]),
  });
}
