import type { Database, Db } from '../database/index.ts';
import { countUpTo, sql, visibleFiles } from '../database/index.ts';
import { type Cursors, maxNumberedRows, pageStart, renderPage } from '../http/index.ts';
import type { Caller } from '../security/index.ts';
import type { FileRow } from './repository.ts';
import type { FileView, ListQuery } from './shapes.ts';

interface ListPorts {
  readonly database: Database;
  readonly cursors: Cursors;
  toView(row: FileRow): FileView;
}

/** Answers one page of the files a caller may see. Rows with equal sort values are in the order of their ids. */
export async function listFiles(
  { database, cursors, toView }: ListPorts,
  caller: Caller,
  query: ListQuery,
  signal: AbortSignal,
) {
  const { column, descending } = sortOrder(query.sort);
  const { page: _page, per_page: perPage, cursor: _cursor, ...filters } = query;
  const listName = `files ${JSON.stringify(filters)}`;
  const start = pageStart(query, (cursor) => cursors.decode(listName, cursor));
  const direction = descending ? 'desc' : 'asc';
  const { rows, total } = await database.read('list files', signal, async (db) => {
    const ordered = matchingFiles(db, caller, query)
      .selectAll()
      .orderBy(column, direction)
      .orderBy('id', direction)
      .limit(perPage + 1);
    if (start.kind === 'after') {
      return {
        rows: await ordered.where(rowAfter(column, descending, start.key)).execute(),
        total: undefined,
      };
    }
    return { rows: await ordered.offset(start.offset).execute(), total: await countFiles(db, caller, query) };
  });
  return renderPage({
    start,
    perPage,
    rows,
    total,
    toItem: toView,
    cursorOf: (row) => cursors.encode(listName, [sortValue(row, column), row.id]),
  });
}

type SortColumn = 'created_at' | 'name' | 'size';

function sortOrder(sort: ListQuery['sort']): { column: SortColumn; descending: boolean } {
  const descending = sort.startsWith('-');
  return { column: sort.replace('-', '') as SortColumn, descending };
}

function sortValue(row: FileRow, column: SortColumn): string {
  const value = row[column];
  return value instanceof Date ? value.toISOString() : String(value);
}

function rowAfter(column: SortColumn, descending: boolean, [value, id]: readonly string[]) {
  const comparison = descending ? sql`<` : sql`>`;
  const type = { created_at: sql`timestamptz`, name: sql`text`, size: sql`bigint` }[column];
  return sql<boolean>`(${sql.ref(column)}, id) ${comparison} (${value}::${type}, ${id}::uuid)`;
}

function matchingFiles(db: Db, caller: Caller, query: ListQuery) {
  let files = visibleFiles(db, caller);
  if (query.prefix) files = files.where(sql<boolean>`starts_with(name, ${query.prefix})`);
  if (query.status) files = files.where('status', '=', query.status);
  else files = files.where('status', '!=', 'deleted');
  if (query.content_type) files = files.where('content_type', '=', query.content_type);
  if (query.project_id) files = files.where('project_id', '=', query.project_id);
  if (query.created_after)
    files = files.where(sql<boolean>`created_at >= ${query.created_after}::timestamptz`);
  if (query.created_before)
    files = files.where(sql<boolean>`created_at < ${query.created_before}::timestamptz`);
  return files;
}

/** Counts no further than needed to know that pages cannot be numbered to the end. */
async function countFiles(db: Db, caller: Caller, query: ListQuery): Promise<number> {
  return countUpTo(db, matchingFiles(db, caller, query).select('id'), maxNumberedRows + 1);
}
