import { type Caller, isAdmin } from '../security/index.ts';
import type { Db } from './database.ts';

/** The files a caller may see: its own, those of its projects, all for admins. Every query on files for a caller begins here. */
export function visibleFiles(db: Db, caller: Caller) {
  const files = db.selectFrom('files');
  if (isAdmin(caller)) return files;
  return files.where((where) =>
    where.or([
      where('owner_id', '=', caller.id),
      ...(caller.projectIds.length > 0 ? [where('project_id', 'in', [...caller.projectIds])] : []),
    ]),
  );
}
