import { isId } from '../core/index.ts';
import { countUpTo, type Database, type Db, sql } from '../database/index.ts';
import { type Cursors, maxNumberedRows, pageStart, renderPage } from '../http/index.ts';
import type { Logger } from '../observability/index.ts';
import type { Keyring } from '../security/index.ts';
import { decryptAddress } from './client-address.ts';
import type { AuditRow } from './hashes.ts';
import type { AuditEntryView, AuditListQuery } from './shapes.ts';

interface ListPorts {
  readonly database: Database;
  readonly cursors: Cursors;
  readonly keyring: Keyring;
  readonly logger: Logger;
}

/** No pseudonym: these are of version 8. */
const nobody = '00000000-0000-0000-0000-000000000000';

type ShownRow = AuditRow & { readonly actor_id: string | null; readonly subject_id: string | null };

/**
 * Answers one page of the trail, newest first.
 *
 * @throws AppError `validation_failed` for a cursor of another list, `use_cursor` for a page too far
 */
export async function listTrail(ports: ListPorts, query: AuditListQuery, signal: AbortSignal) {
  const { database, cursors } = ports;
  const { page: _page, cursor: _cursor, per_page: perPage, ...filters } = query;
  const listName = `audit ${JSON.stringify(filters)}`;
  const start = pageStart(query, (cursor) => cursors.decode(listName, cursor));
  const { rows, total } = await database.read('list audit rows', signal, async (db) => {
    const matching =
      filters.actor === undefined ? filters : { ...filters, actor: await findActor(db, filters.actor) };
    const ordered = withNames(db, matching)
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(perPage + 1);
    if (start.kind === 'page') {
      const ids = filtered(db, matching).select(sql<string>`audit_log.id::text`.as('id'));
      return {
        rows: await ordered.offset(start.offset).execute(),
        total: await countUpTo(db, ids, maxNumberedRows + 1),
      };
    }
    const [time, id] = start.key;
    const isAfter = sql<boolean>`(at, audit_log.id) < (${time}::timestamptz, ${id}::bigint)`;
    return { rows: await ordered.where(isAfter).execute(), total: undefined };
  });
  return renderPage({
    start,
    perPage,
    rows,
    total,
    toItem: (row) => toView(row, shownAddress(ports, row)),
    cursorOf: ({ at, id }) => cursors.encode(listName, [at.toISOString(), String(id)]),
  });
}

/** `actor` is a pseudonym here. */
type Filters = Omit<AuditListQuery, 'page' | 'cursor' | 'per_page'>;

/** Asked for by itself, so that the rows of one actor are read in the order of their index. */
async function findActor(db: Db, actor: string): Promise<string> {
  const named = await db
    .selectFrom('audit_actors')
    .select('pseudonym')
    .where('user_id', '=', actor)
    .executeTakeFirst();
  // Who has been erased is still known by the pseudonym.
  return named?.pseudonym ?? (isId(actor) ? actor : nobody);
}

function filtered(db: Db, { from, to, ...equal }: Filters) {
  let rows = db.selectFrom('audit_log');
  for (const column of ['actor', 'action', 'object_type', 'object_id', 'correlation_id'] as const) {
    const value = equal[column];
    if (value !== undefined) rows = rows.where(column, '=', value);
  }
  if (from !== undefined) rows = rows.where(sql<boolean>`at >= ${from}::timestamptz`);
  if (to !== undefined) rows = rows.where(sql<boolean>`at < ${to}::timestamptz`);
  return rows;
}

function withNames(db: Db, filters: Filters) {
  return filtered(db, filters)
    .leftJoin('audit_actors as actor_row', 'actor_row.pseudonym', 'audit_log.actor')
    .leftJoin('audit_actors as subject_row', 'subject_row.pseudonym', 'audit_log.subject')
    .selectAll('audit_log')
    .select(['actor_row.user_id as actor_id', 'subject_row.user_id as subject_id']);
}

/** One row that is damaged must not hide all others; verifying names it. */
function shownAddress({ keyring, logger }: ListPorts, row: ShownRow): string | null {
  try {
    return decryptAddress(keyring, row);
  } catch (error) {
    logger.error('an address in the audit trail cannot be decrypted', { row: row.id, error });
    return null;
  }
}

function toView(row: ShownRow, address: string | null): AuditEntryView {
  const { id, actor, subject, action, object_type, object_id, result, correlation_id, before, after } = row;
  const subjectId = row.subject_id ?? subject;
  return {
    id,
    at: row.at.toISOString(),
    actor: row.actor_id ?? actor,
    ...(subjectId !== null && { subject: subjectId }),
    action,
    object: { type: object_type, id: object_id },
    result,
    ...(address !== null && { client_address: address }),
    correlation_id,
    ...(before !== null && { before }),
    ...(after !== null && { after }),
    sealed: row.seal !== null,
  };
}
