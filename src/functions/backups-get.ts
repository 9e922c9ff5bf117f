import { backupNameParams, backupShape } from '../lib/backup/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Shows one backup with the rows and hashes of its tables. */
export const backupsGet = endpoint({
  name: 'backups-get',
  method: 'GET',
  route: 'api/v1/backups/{name}',
  summary: 'Show a backup',
  access: scope('backups:read'),
  params: backupNameParams,
  responses: { 200: backupShape },
  handle: ({ params, signal }) => runtime().backups().get(params.name, signal),
});
