import { type Caller, isAdmin } from '../security/index.ts';
import type { Db } from './database.ts';
import type { Row } from './schema.ts';

/*
 * Who may have to do with a file: its owner, the members of its project, admins. For all others it is not there. This is decided
 * here and nowhere else: in JavaScript for a row that was read, in SQL for lists and reports. A test holds the two against each other.
 */

/** True for those who may have to do with the project, if there is one of this id: its members, and admins. */
export function mayUseProject(caller: Caller, projectId: string): boolean {
  return isAdmin(caller) || caller.projectIds.includes(projectId);
}

/** True for those who may have to do with the file. */
export function mayUseFile(caller: Caller, file: Pick<Row<'files'>, 'owner_id' | 'project_id'>): boolean {
  if (isAdmin(caller) || file.owner_id === caller.id) return true;
  return file.project_id !== null && mayUseProject(caller, file.project_id);
}

/** True for those who may see the file: a deleted one is seen by admins only. */
export function maySeeFile(
  caller: Caller,
  file: Pick<Row<'files'>, 'owner_id' | 'project_id' | 'status'>,
): boolean {
  return mayUseFile(caller, file) && (file.status !== 'deleted' || isAdmin(caller));
}

/** The files of which {@link maySeeFile} is true. Every query of several files for a caller begins here. */
export function visibleFiles(db: Db, caller: Caller) {
  const files = db.selectFrom('files');
  if (isAdmin(caller)) return files;
  return files
    .where('status', '!=', 'deleted')
    .where((where) =>
      where.or([
        where('owner_id', '=', caller.id),
        ...(caller.projectIds.length > 0 ? [where('project_id', 'in', [...caller.projectIds])] : []),
      ]),
    );
}
