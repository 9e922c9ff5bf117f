import { backupListQuery, backupPageShape } from '../lib/backup/index.ts';
import { endpoint, scope } from '../lib/http/index.ts';
import { runtime } from '../runtime.ts';

/** Lists the backups, newest first. */
export const backupsList = endpoint({
  name: 'backups-list',
  method: 'GET',
  route: 'api/v1/backups',
  summary: 'List backups',
  access: scope('backups:read'),
  query: backupListQuery,
  responses: { 200: backupPageShape },
  handle: ({ query, signal }) => runtime().backups().list(query, signal),
});
