import { type Cursors, maxNumberedRows, pageStart, renderPage } from '../http/index.ts';
import type { Catalog } from './catalog.ts';
import type { BackupListQuery } from './shapes.ts';

const listName = 'backups';

/**
 * Answers one page of all backups, newest first.
 *
 * @throws AppError `validation_failed` for a cursor of another list, `use_cursor` for a page too far
 */
export async function listBackups(
  catalog: Catalog,
  cursors: Cursors,
  query: BackupListQuery,
  signal: AbortSignal,
) {
  const perPage = query.per_page;
  const start = pageStart(query, (cursor) => cursors.decode(listName, cursor));
  const rows =
    start.kind === 'page'
      ? // The table counts nothing, so all rows that can be numbered are read; there are some hundred.
        await catalog.list({ limit: maxNumberedRows + 1 }, signal)
      : await catalog.list({ after: start.key[0] ?? '', limit: perPage + 1 }, signal);
  const offset = start.kind === 'page' ? start.offset : 0;
  return renderPage({
    start,
    perPage,
    rows: rows.slice(offset, offset + perPage + 1),
    total: rows.length,
    toItem: (backup) => backup,
    cursorOf: (backup) => cursors.encode(listName, [backup.name]),
  });
}
