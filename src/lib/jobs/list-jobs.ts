import type { Database, Db } from '../database/index.ts';
import { countUpTo, sql } from '../database/index.ts';
import { type Cursors, maxNumberedRows, pageStart, renderPage } from '../http/index.ts';
import { type JobListQuery, toView } from './shapes.ts';

/**
 * Answers one page of all jobs, newest first.
 *
 * @throws AppError `validation_failed` for a cursor of another list, `use_cursor` for a page too far
 */
export async function listJobs(
  { database, cursors }: { readonly database: Database; readonly cursors: Cursors },
  query: JobListQuery,
  signal: AbortSignal,
) {
  const { status, per_page: perPage } = query;
  const listName = `jobs ${status ?? ''}`;
  const start = pageStart(query, (cursor) => cursors.decode(listName, cursor));
  const { rows, total } = await database.read('list jobs', signal, async (db) => {
    const ordered = withStatus(db, status)
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(perPage + 1);
    if (start.kind === 'page')
      return { rows: await ordered.offset(start.offset).execute(), total: await countJobs(db, status) };
    const [time, id] = start.key;
    const isAfter = sql<boolean>`(created_at, id) < (${time}::timestamptz, ${id}::uuid)`;
    return { rows: await ordered.where(isAfter).execute(), total: undefined };
  });
  return renderPage({
    start,
    perPage,
    rows,
    total,
    toItem: toView,
    cursorOf: (job) => cursors.encode(listName, [job.created_at.toISOString(), job.id]),
  });
}

/** Counts no further than needed to know that pages cannot be numbered to the end. */
export async function countJobs(db: Db, status: JobListQuery['status']): Promise<number> {
  return countUpTo(db, withStatus(db, status).select('id'), maxNumberedRows + 1);
}

function withStatus(db: Db, status: JobListQuery['status']) {
  const jobs = db.selectFrom('jobs');
  return status === undefined ? jobs : jobs.where('status', '=', status);
}
