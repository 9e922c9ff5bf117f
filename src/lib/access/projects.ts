import { AppError, newId } from '../core/index.ts';
import {
  countUpTo,
  type Database,
  type Idempotency,
  type RecordAudit,
  type Row,
  type Trx,
} from '../database/index.ts';
import { type Cursors, keyedRequest, type RequestKey } from '../http/index.ts';
import { nameResource } from '../observability/index.ts';
import { listNewestFirst } from './newest-first.ts';
import type { PlainListQuery, ProjectView, ProjectWithMembers } from './shapes.ts';

interface ProjectsPorts {
  readonly database: Database;
  readonly cursors: Cursors;
  readonly idempotency: Idempotency;
  readonly audit: RecordAudit;
}

/** So that a project can be shown in one answer. */
const maxMembers = 1_000;

/** Makes the administration of projects: who is a member sees the files of all. */
export function createProjects(ports: ProjectsPorts) {
  const { database, idempotency, audit } = ports;
  return {
    /** Makes a project without members, once for each request key. */
    create: (request: { readonly name: string }, key: RequestKey | undefined, signal: AbortSignal) =>
      idempotency.once(keyedRequest(key, request), signal, async ({ record }) => {
        const id = newId();
        nameResource('projects', id);
        await database.transaction('create project', signal, async (trx) => {
          const row = await trx
            .insertInto('projects')
            .values({ id, name: request.name })
            .returningAll()
            .executeTakeFirstOrThrow();
          await audit(trx, {
            action: 'project.create',
            object: { type: 'project', id },
            after: { name: row.name },
          });
          const headers = { location: `/api/v1/projects/${id}` };
          await record(trx, { status: 201, headers, body: viewOf(row) });
        });
      }),

    /** One page of all projects, newest first. */
    list: (query: PlainListQuery, signal: AbortSignal) =>
      listNewestFirst(
        ports,
        query,
        {
          name: 'projects',
          rows: (db, { isAfter, offset, limit }) =>
            db
              .selectFrom('projects')
              .selectAll()
              .where(isAfter)
              .orderBy('created_at', 'desc')
              .orderBy('id', 'desc')
              .offset(offset)
              .limit(limit)
              .execute(),
          count: (db, limit) => countUpTo(db, db.selectFrom('projects').select('id'), limit),
          toItem: viewOf,
        },
        signal,
      ),

    /** A project with its members, in the order in which they were added. @throws AppError `not_found` */
    get: (id: string, signal: AbortSignal): Promise<ProjectWithMembers> =>
      database.read('find project', signal, async (db) => {
        const row = await db.selectFrom('projects').selectAll().where('id', '=', id).executeTakeFirst();
        if (!row) throw noSuchProject();
        const members = await db
          .selectFrom('project_members')
          .select(['user_id', 'created_at'])
          .where('project_id', '=', id)
          .orderBy('created_at')
          .orderBy('user_id')
          .execute();
        return {
          ...viewOf(row),
          members: members.map(({ user_id, created_at }) => ({
            user_id,
            added_at: created_at.toISOString(),
          })),
        };
      }),

    /**
     * Makes a user a member; one who is stays as they are. Whether there is such a user nobody here knows.
     *
     * @throws AppError `not_found` for an unknown project, `conflict` for the thousand and first member
     */
    addMember: (projectId: string, userId: string, signal: AbortSignal): Promise<void> =>
      database.transaction('add project member', signal, async (trx) => {
        await lockProject(trx, projectId);
        const added = await trx
          .insertInto('project_members')
          .values({ project_id: projectId, user_id: userId })
          .onConflict((conflict) => conflict.columns(['project_id', 'user_id']).doNothing())
          .returning('user_id')
          .executeTakeFirst();
        if (!added) return;
        const members = trx.selectFrom('project_members').select('user_id as id');
        const count = await countUpTo(trx, members.where('project_id', '=', projectId), maxMembers + 1);
        if (count > maxMembers) throw new AppError('conflict', `A project has ${maxMembers} members at most`);
        await audit(trx, {
          action: 'project.add_member',
          object: { type: 'project', id: projectId },
          subjectId: userId,
        });
      }),

    /** Ends a membership, if there is one. @throws AppError `not_found` for an unknown project */
    removeMember: (projectId: string, userId: string, signal: AbortSignal): Promise<void> =>
      database.transaction('remove project member', signal, async (trx) => {
        await lockProject(trx, projectId);
        const { numDeletedRows } = await trx
          .deleteFrom('project_members')
          .where('project_id', '=', projectId)
          .where('user_id', '=', userId)
          .executeTakeFirst();
        if (numDeletedRows === 0n) return;
        await audit(trx, {
          action: 'project.remove_member',
          object: { type: 'project', id: projectId },
          subjectId: userId,
        });
      }),
  };
}

/** One change of the members at a time. */
async function lockProject(trx: Trx, id: string): Promise<void> {
  const row = await trx
    .selectFrom('projects')
    .select('id')
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) throw noSuchProject();
}

function noSuchProject(): AppError {
  return new AppError('not_found', 'There is no such project');
}

function viewOf({ id, name, created_at }: Row<'projects'>): ProjectView {
  return { id, name, created_at: created_at.toISOString() };
}
